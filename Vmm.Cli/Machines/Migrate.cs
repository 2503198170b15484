using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Migration.Channels;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Cli.Machines;

/// <summary>Hands a running machine to whoever waits for it at a URI, or writes it there.</summary>
internal sealed class Migrate(Machine machine, ControlPlane control, MigrationStatus status)
{
    /// <summary>
    /// Where open files go through, RAM is shared and back ends can move (<see cref="OutgoingMigration"/>); elsewhere everything goes as bytes
    /// while the guest is paused (<see cref="OutgoingStream"/>).
    /// </summary>
    /// <exception cref="UserErrorException">The request does not fit the machine or the channel.</exception>
    /// <exception cref="IOException">It did not come about; the guest runs here.</exception>
    /// <exception cref="MachineLostException">The destination took the guest and died.</exception>
    public MigrationResult Run(MigrateRequest request)
    {
        long started = MonotonicClock.Now;
        HashSet<string> transfer = request.Transfer.Resolve(machine, []);
        using MigrationChannel channel = MigrationChannel.Connect(request.Uri, request.Timeouts.Verdict);
        status.Set("active");
        if (channel.MayCarryDescriptors)
        {
            return Share(channel, transfer, request, started);
        }

        return transfer.Count == 0
            ? Stream(channel, request, started)
            : throw new UserErrorException($"{request.Uri} carries no open files, so the back end of {string.Join(", ", transfer)} can't move through it: use a UNIX socket, or leave backend-transfer out.");
    }

    /// <summary>The process at the other end; null when it is not there any more, or in another process-id namespace.</summary>
    public static ProcessDescriptor? FindProcess(MessageSocket socket)
        => PeerCredentials.Find(socket) is { ProcessId: > 0 } peer ? ProcessDescriptor.TryOpen(peer.ProcessId) : null;

    private MigrationResult Share(MigrationChannel channel, HashSet<string> transfer, MigrateRequest request, long started)
    {
        MachineSource source = new(machine, control, transfer, whole: false);
        using ProcessDescriptor? peer = FindProcess(channel.Socket!);
        using OutgoingMigration migration = new(new MessageChannel(channel.Socket!, request.Cancellation), source, request.Timeouts)
        {
            HasEnded = limit => peer?.WaitForExit(limit) ?? true,
        };
        Verdict verdict = migration.Ask();
        if (!verdict.IsAccepted)
        {
            throw new MigrationException(MigrationStep.Verdict, $"the destination refuses the machine: {string.Join("; ", verdict.Reasons)}");
        }

        MigrationTimes times = migration.Run(verdict, started);
        source.Settle();
        machine.Release(transfer, whole: false);
        return new MigrationResult(verdict, times, times.StateBytes, null);
    }

    private MigrationResult Stream(MigrationChannel channel, MigrateRequest request, long started)
    {
        long paused = MonotonicClock.Now;
        long bytes = new OutgoingStream(channel, new MachineSource(machine, control, new HashSet<string>(), whole: false), request.Timeouts, request.Cancellation).Run();
        if (channel.IsBidirectional)
        {
            machine.Release(new HashSet<string>(), whole: false);
        }
        else
        {
            // Nobody runs it yet, and nobody may: it is for the user to say where it goes on.
            machine.Keep();
        }

        return new MigrationResult(null, new MigrationTimes { Started = started, Prepared = paused, Running = MonotonicClock.Now }, bytes, null);
    }
}
