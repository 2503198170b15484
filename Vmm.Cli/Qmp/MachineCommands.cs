using System.Text;
using System.Text.Json.Nodes;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Machine;
using Vmm.Core.State;
using Vmm.Migration.Inspect;

namespace Vmm.Cli.Qmp;

/// <summary>The commands that a running machine answers; QEMU's names, arguments and replies, and ours, which begin with x-.</summary>
internal sealed partial class MachineCommands
{
    private readonly Machine _machine;
    private readonly QmpServer _server;

    private readonly Migrations _migrations;

    private MachineCommands(Machine machine, QmpServer server, Migrations migrations)
    {
        _migrations = migrations;
        _machine = machine;
        _server = server;
    }

    /// <summary>Makes them known to the server.</summary>
    /// <param name="machine">Which they are about.</param>
    /// <param name="server">Has no commands.</param>
    /// <param name="migrations">What becomes of migrations.</param>
    /// <param name="passing">The answer to what was asked of the process before is for the next one.</param>
    public static void Register(Machine machine, QmpServer server, Migrations migrations, bool passing)
    {
        MachineCommands commands = new(machine, server, migrations);
        ProcessCommands.Register(server.Commands, machine.Name, machine.Started, machine.Lifetime);
        commands.RegisterControl(server.Commands);
        commands.RegisterQueries(server.Commands);
        commands.RegisterDevices(server.Commands);
        commands.RegisterMigration(server.Commands);
        if (!passing)
        {
            commands.AnswerPending();
        }
    }

    private void RegisterControl(QmpCommands commands)
    {
        commands.Add("stop", arguments =>
        {
            arguments.End();
            if (_machine.Pause())
            {
                _server.Emit(QmpEvent.Stop);
            }
        });
        commands.Add("cont", arguments =>
        {
            arguments.End();
            if (_machine.Resume())
            {
                _server.Emit(QmpEvent.Resume);
            }
        });
        commands.Add("system_powerdown", arguments =>
        {
            arguments.End();
            if (!_machine.PressPowerButton())
            {
                throw new QmpException("The guest does not listen to the power button: power it off from inside, or use 'quit'");
            }

            _server.Emit(QmpEvent.PowerDown);
        });
        commands.Add("system_reset", arguments =>
        {
            arguments.End();

            // As when the guest asks for it, and as in QEMU with -no-reboot: a reset is the machine's end.
            _machine.Lifetime.End(new GuestEnd(GuestEndCause.Reset, Report: ShutdownReason.SystemReset));
        });
    }

    private void RegisterQueries(QmpCommands commands)
    {
        commands.AddQuery("query-status", () => new StatusInfo(_machine.RunState.GetName(), false, _machine.RunState == RunState.Running), QmpJson.Default.StatusInfo);
        commands.AddQuery("query-cpus-fast", DescribeCpus, QmpJson.Default.CpuInfoArray);
        commands.AddQuery("query-memory-size-summary", () => new MemorySummary(_machine.MemorySize, 0), QmpJson.Default.MemorySummary);
        commands.Add("x-inspect", Inspect);
    }

    private CpuInfo[] DescribeCpus()
        => [.. _machine.CpuThreads.Select((thread, i) => new CpuInfo(thread, new CpuTopology(i, 0, 0), $"/machine/cpu[{i}]", i, "x86_64"))];

    /// <summary>The state as it would migrate, of one section or of all.</summary>
    private byte[] Inspect(QmpArguments arguments)
    {
        string? wanted = arguments.OptionalString("section");
        arguments.End();
        StateSnapshot snapshot = _machine.WhilePaused(() =>
        {
            IReadOnlyList<IStateSection> all = [.. _machine.CreateStateSections(), _machine.CreateConsoleSection()];
            IReadOnlyList<IStateSection> chosen = wanted is null ? all : [.. all.Where(section => section.Name == wanted)];
            return chosen.Count > 0
                ? StateSnapshot.Take(_machine.Name, chosen)
                : throw new QmpException($"There is no section '{wanted}'; there are {string.Join(", ", all.Select(section => section.Name).Distinct())}");
        });
        JsonObject state = snapshot.Read();
        return Encoding.UTF8.GetBytes(state.ToJsonString());
    }
}
