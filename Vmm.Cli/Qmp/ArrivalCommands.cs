using Vmm.Cli.Machines;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Machine;
using Vmm.Migration.Channels;

namespace Vmm.Cli.Qmp;

/// <summary>The commands that are answered while a machine is waited for.</summary>
internal static class ArrivalCommands
{
    /// <summary>Makes them known to the server.</summary>
    public static void Register(QmpCommands commands, string name, Arrival arrival, MachineLifetime lifetime)
    {
        commands.Add("migrate-incoming", arguments =>
        {
            string uri = arguments.String("uri");
            arguments.End();
            arrival.Begin(Parse(uri));
        });
        commands.Add("query-status", Nothing(() => new StatusInfo(RunState.InMigrate.GetName(), false, false)), QmpJson.Default.StatusInfo);
        commands.Add("query-migrate", Nothing(() => MigrationInfo.From(arrival.Status)), QmpJson.Default.MigrationInfo);
        commands.Add("query-version", Nothing(() => VersionInfo.Current), QmpJson.Default.VersionInfo);
        commands.Add("query-name", Nothing(() => new NameInfo(name)), QmpJson.Default.NameInfo);
        commands.Add("query-commands", Nothing(() => commands.Names.Select(command => new NameInfo(command)).ToArray()), QmpJson.Default.NameInfoArray);
        commands.Add("x-query-process", Nothing(() => new ProcessInfo(Environment.ProcessId, 0)), QmpJson.Default.ProcessInfo);
        commands.Add("quit", arguments =>
        {
            arguments.End();
            lifetime.End(new GuestEnd(GuestEndCause.Stopped, Report: ShutdownReason.Quit));
        });
    }

    /// <exception cref="QmpException">It is no URI.</exception>
    public static MigrationUri Parse(string text)
        => MigrationUri.TryParse(text, out MigrationUri? uri, out string? error) ? uri : throw new QmpException(error);

    private static Func<QmpArguments, T> Nothing<T>(Func<T> query) => arguments =>
    {
        arguments.End();
        return query();
    };
}
