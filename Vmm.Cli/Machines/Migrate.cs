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

        // ORDER: before anybody waits for this process with a time-out.
        machine.Settle(transfer);
        using MigrationChannel channel = MigrationChannel.Connect(request.Uri, request.Timeouts.Verdict);
        status.Set("active");
        if (channel.MayCarryDescriptors)
        {
            return Share(channel.Socket!, transfer, whole: false, request.Timeouts, started, earlier: 0, request.Cancellation);
        }

        return transfer.Count == 0
            ? Stream(channel, transfer, request, started)
            : throw new UserErrorException($"{request.Uri} carries no open files, so the back end of {string.Join(", ", transfer)} can't move through it: use a UNIX socket, or leave backend-transfer out.");
    }

    /// <summary>Hands it over with its RAM and what else moves through a socket, to a process that was not started for that.</summary>
    /// <param name="socket">To it; stays the caller's.</param>
    /// <param name="transfer">The ids of the devices whose back ends move.</param>
    /// <param name="whole">Name, console and control plane go along.</param>
    /// <param name="timeouts">For both sides.</param>
    /// <param name="started">When the command began, for the times.</param>
    /// <param name="earlier">As of <see cref="OutgoingMigration.Run"/>.</param>
    /// <param name="cancellation">Ends it, if it has not gone too far.</param>
    public MigrationResult Share(
        MessageSocket socket, HashSet<string> transfer, bool whole, MigrationTimeouts timeouts, long started, long earlier, CancellationToken cancellation)
    {
        MachineSource source = new(machine, control, transfer, whole);
        using ProcessDescriptor? peer = FindProcess(socket);
        using OutgoingMigration migration = new(new MessageChannel(socket, cancellation), source, timeouts) { HasEnded = limit => peer?.WaitForExit(limit) ?? true };
        Verdict verdict = migration.Ask();
        if (!verdict.IsAccepted)
        {
            throw new MigrationException(MigrationStep.Verdict, $"the destination refuses the machine: {string.Join("; ", verdict.Reasons)}");
        }

        MigrationTimes times = migration.Run(verdict, started, earlier);
        source.Settle();
        machine.Release(transfer, whole);
        return new MigrationResult(verdict, times, times.StateBytes, null);
    }

    /// <summary>The process at the other end; null when it is not there any more, or in another process-id namespace.</summary>
    private static ProcessDescriptor? FindProcess(MessageSocket socket)
        => PeerCredentials.Find(socket) is { ProcessId: > 0 } peer ? ProcessDescriptor.TryOpen(peer.ProcessId) : null;

    private MigrationResult Stream(MigrationChannel channel, HashSet<string> transfer, MigrateRequest request, long started)
    {
        long paused = MonotonicClock.Now;
        long bytes = new OutgoingStream(channel, new MachineSource(machine, control, transfer, whole: false), request.Timeouts, request.Cancellation).Run();
        if (channel.IsBidirectional)
        {
            machine.Release(transfer, whole: false);
        }
        else
        {
            // Nobody runs it yet, and nobody may: it is for the user to say where it goes on.
            machine.Keep();
        }

        return new MigrationResult(null, new MigrationTimes { Started = started, Prepared = paused, Running = MonotonicClock.Now }, bytes, null);
    }
}
