using Microsoft.Extensions.Logging;
using Tmds.Linux;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>Hands a running machine to a new process of another binary.</summary>
/// <remarks>
/// <code>
/// transfer   P (old) --machine--> N (new)         P waits for N, and for whoever comes after N
/// exec       P (old) --machine--> H (new)         P executes the new binary in its own place
///            P (new) &lt;--machine-- H              H ends; the process id is what it was
/// </code>
/// </remarks>
internal sealed class LiveUpdate(Machine machine, ControlPlane control, Job job, MigrationStatus status, ILogger log)
{
    /// <summary>The hidden command with which the new process is started; the channel is descriptor 3, the <see cref="Job"/>'s line 4, the way back 5.</summary>
    public const string Command = "incoming";

    /// <summary>For a process that has closed its channel to end.</summary>
    private static readonly TimeSpan s_grace = TimeSpan.FromMilliseconds(200);

    /// <summary>Starts the new binary, asks for its verdict and, unless that is all that is wanted, hands over.</summary>
    /// <exception cref="UserErrorException">The request names a device that there is not, or whose back end can't move.</exception>
    /// <exception cref="IOException">It did not come about; the guest runs here.</exception>
    /// <exception cref="MachineLostException">The new process took the guest and died.</exception>
    public MigrationResult Run(LiveUpdateRequest request)
    {
        long started = MonotonicClock.Now;
        HashSet<string> transfer = request.Transfer.Resolve(machine, [.. request.Replacements.Select(net => net.Id!)]);
        if (!request.DryRun)
        {
            // ORDER: before the new process waits for this one with a time-out.
            machine.Settle(transfer);
        }

        (MessageSocket socket, MessageSocket far) = MessageSocket.CreatePair();
        using MessageChannel channel = new(socket, request.Cancellation);
        (MessageSocket Near, MessageSocket Far)? back = request.KeepsProcess ? MessageSocket.CreatePair() : null;
        ChildProcess? child = null;
        MachineSource source;
        MigrationResult result;
        try
        {
            using (far)
            using (back?.Far)
            {
                child = Start(request, far, back?.Far);
            }

            source = new MachineSource(machine, control, transfer, whole: true);
            result = HandOver(request, source, channel, child, back?.Near, started);
        }
        catch (MachineLostException)
        {
            throw;
        }
        catch (MigrationException e) when (e.Step <= MigrationStep.Verdict && child is not null && child.TryWait(s_grace))
        {
            back?.Near.Dispose();
            throw new MigrationException(e.Step, $"{e.Reason}: {request.Binary} ended with exit code {child.Wait()}; is it a vmm that can take a machine over?", e);
        }
        catch
        {
            child?.Signal(LibC.SIGKILL);
            child?.Wait();
            back?.Near.Dispose();
            throw;
        }

        // From here on the guest lives or dies with the child: whatever goes wrong now, it stays.
        if (result.Times is null)
        {
            return result;
        }

        source.Settle();
        machine.Release(transfer, whole: true);

        // ORDER: after the console, which stops the process as well; before the channel ends, for which the new process waits.
        job.Stay(back is null ? child : null);
        log.LogInformation("{Name}: process {Id} runs the guest", machine.Name, child.Id);
        return result with { Departure = back is { Near: var near } ? new Departure.Exec(child, request.Binary, near) : new Departure.ToChild(child) };
    }

    /// <summary>Hands the machine back to the process that it came from, which executes the new binary now.</summary>
    /// <exception cref="MigrationException">It did not come about; the guest runs here.</exception>
    /// <exception cref="MachineLostException">It took the guest and died.</exception>
    public MigrationResult Return(MessageSocket socket, MigrationTimes before, MigrationTimeouts timeouts, CancellationToken cancellation)
    {
        using (socket)
        {
            MigrationResult result = new Migrate(machine, control, status).Share(
                socket, BackendTransfer.All.Resolve(machine, []), whole: true, timeouts, before.Started, before.Downtime, cancellation);
            return result with { Departure = new Departure.Back() };
        }
    }

    private ChildProcess Start(LiveUpdateRequest request, MessageSocket channel, MessageSocket? back)
    {
        string[] nets = [.. request.Replacements.SelectMany(net => (string[])["--net", net.Format()])];
        return back is null
            ? ChildProcess.Start(request.Binary, [request.Binary, Command, .. nets], channel, job.Line)
            : ChildProcess.Start(request.Binary, [request.Binary, Command, "--back", "5", .. nets], channel, job.Line, back);
    }

    /// <returns>With times, when it has come about.</returns>
    private MigrationResult HandOver(LiveUpdateRequest request, MachineSource source, MessageChannel channel, ChildProcess child, MessageSocket? back, long started)
    {
        using OutgoingMigration migration = new(channel, source, request.Timeouts) { HasEnded = child.TryWait };
        Verdict verdict = migration.Ask();
        if (request.DryRun || !verdict.IsAccepted)
        {
            migration.Abort(verdict.IsAccepted ? "it was a dry run" : "refused");
            channel.Dispose();
            back?.Dispose();
            if (!child.TryWait(s_grace))
            {
                // It has nothing to do any more, and does not notice: a stopped process, say.
                child.Signal(LibC.SIGKILL);
                child.Wait();
            }

            return new MigrationResult(verdict, null, 0, null);
        }

        status.Set("active");
        MigrationTimes times = migration.Run(verdict, started);
        return new MigrationResult(verdict, times, times.StateBytes, null);
    }
}
