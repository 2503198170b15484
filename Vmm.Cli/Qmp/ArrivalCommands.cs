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
        ProcessCommands.Register(commands, name, DateTimeOffset.UnixEpoch, lifetime);
        commands.Add("migrate-incoming", arguments =>
        {
            string uri = arguments.String("uri");
            arguments.End();
            arrival.Listen(Parse(uri));
            arrival.Begin();
        });
        commands.AddQuery("query-status", () => new StatusInfo(RunState.InMigrate.GetName(), false, false), QmpJson.Default.StatusInfo);
        commands.AddQuery("query-migrate", () => MigrationInfo.From(arrival.Status), QmpJson.Default.MigrationInfo);
    }

    /// <exception cref="QmpException">It is no URI.</exception>
    public static MigrationUri Parse(string text)
        => MigrationUri.TryParse(text, out MigrationUri? uri, out string? error) ? uri : throw new QmpException(error);
}
