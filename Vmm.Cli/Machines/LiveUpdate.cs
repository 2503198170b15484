using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>Hands a running machine to a new process of another binary.</summary>
internal sealed class LiveUpdate(Machine machine, ControlPlane control, Job job, MigrationStatus status, ILogger log)
{
    /// <summary>The hidden command with which the new process is started; the channel is descriptor 3, the <see cref="Job"/>'s line 4.</summary>
    public const string Command = "incoming";

    /// <summary>Starts the new binary, asks for its verdict and, unless that is all that is wanted, hands over.</summary>
    /// <exception cref="UserErrorException">The request names a device that there is not, or whose back end can't move.</exception>
    /// <exception cref="MigrationException">It did not come about; the guest runs here.</exception>
    /// <exception cref="MachineLostException">The new process took the guest and died.</exception>
    public MigrationResult Run(LiveUpdateRequest request)
    {
        long started = MonotonicClock.Now;
        HashSet<string> transfer = request.Transfer.Resolve(machine, [.. request.Replacements.Select(net => net.Id!)]);
        (MessageSocket near, MessageSocket far) = MessageSocket.CreatePair();
        using MessageChannel channel = new(near, request.Cancellation);
        ChildProcess child;
        using (far)
        {
            child = ChildProcess.Start(request.Binary, [request.Binary, Command, .. request.Replacements.SelectMany(net => (string[])["--net", net.Format()])], far, job.Line);
        }

        try
        {
            return HandOver(request, transfer, channel, child, started);
        }
        catch (MachineLostException)
        {
            throw;
        }
        catch
        {
            // It has nothing to do, and may not notice: a stopped process, say.
            child.Signal(Tmds.Linux.LibC.SIGKILL);
            child.Wait();
            throw;
        }
    }

    private MigrationResult HandOver(LiveUpdateRequest request, HashSet<string> transfer, MessageChannel channel, ChildProcess child, long started)
    {
        MachineSource source = new(machine, control, transfer, whole: true);
        using OutgoingMigration migration = new(channel, source, request.Timeouts) { HasEnded = child.TryWait };
        Verdict verdict = migration.Ask();
        if (request.DryRun || !verdict.IsAccepted)
        {
            migration.Abort(verdict.IsAccepted ? "it was a dry run" : "refused");
            channel.Dispose();
            child.Wait();
            return new MigrationResult(verdict, null, 0, null);
        }

        status.Set("active");
        MigrationTimes times = migration.Run(verdict, started);
        source.Settle();
        machine.Release(transfer, whole: true);
        log.LogInformation("{Name}: process {Id} runs the guest", machine.Name, child.Id);
        return new MigrationResult(verdict, times, times.StateBytes, child);
    }
}
