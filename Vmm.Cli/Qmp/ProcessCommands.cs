using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Machine;

namespace Vmm.Cli.Qmp;

/// <summary>The commands that are about this process, whether it has a machine already or waits for one.</summary>
internal static class ProcessCommands
{
    /// <summary>Makes them known to the server.</summary>
    /// <param name="commands">The server's.</param>
    /// <param name="name">The machine's.</param>
    /// <param name="started">When its guest began; the beginning of time when there is none yet.</param>
    /// <param name="lifetime">Ended by <c>quit</c>.</param>
    public static void Register(QmpCommands commands, string name, DateTimeOffset started, MachineLifetime lifetime)
    {
        commands.AddQuery("query-version", () => VersionInfo.Current, QmpJson.Default.VersionInfo);
        commands.AddQuery("query-name", () => new NameInfo(name), QmpJson.Default.NameInfo);
        commands.AddQuery("query-commands", () => commands.Names.Select(command => new NameInfo(command)).ToArray(), QmpJson.Default.NameInfoArray);
        commands.AddQuery("x-query-process", () => new ProcessInfo(Environment.ProcessId, started.ToUnixTimeSeconds()), QmpJson.Default.ProcessInfo);
        commands.Add("quit", arguments =>
        {
            arguments.End();
            lifetime.End(new GuestEnd(GuestEndCause.Stopped, Report: ShutdownReason.Quit));
        });
    }
}
