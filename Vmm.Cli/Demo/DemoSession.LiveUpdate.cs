using System.Globalization;
using Tmds.Linux;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Linux;

namespace Vmm.Cli.Demo;

// The guest goes on in a process that was started for that.
internal sealed partial class DemoSession
{
    private const int PingsPerSecond = 1000;

    private static readonly TimeSpan _aroundUpdate = TimeSpan.FromMilliseconds(250);

    private ChildProcess? _successor;
    private Thread? _waiter;

    private bool UpdateUnderTraffic()
    {
        if (_lifetime.HasEnded)
        {
            return false;
        }

        using EchoStream pings = new(_icmp, PingsPerSecond);
        Thread.Sleep(_aroundUpdate);
        MigrationResult result;

        // The new process ends with this one from the first moment on, not only once this one has nothing else to do.
        _job.Stay(successor: null);
        try
        {
            result = new LiveUpdate(_machine, _control, _job, new MigrationStatus(_control), _log).Run(new LiveUpdateRequest { Binary = ProgramFile.Path });
        }
        catch (IOException e)
        {
            _view.Fact("update", $"failed: {e.Message}");
            return false;
        }

        if (result is not { Departure: Departure.ToChild { Process: var successor }, Times: { } times })
        {
            _view.Fact("update", $"refused: {string.Join("; ", result.Verdict?.Reasons ?? [])}");
            return false;
        }

        Follow(successor);
        Thread.Sleep(_aroundUpdate);
        TimeSpan silence = pings.TakeLongestSilence();
        EchoReport report = pings.Stop();
        MigrationPhases phases = MigrationPhases.From(times);
        _view.Fact("update", $"the guest runs in process {successor.Id}: accepted after {Milliseconds(phases.Verdict)}, prepared in {Milliseconds(phases.Prepare)}, "
            + $"stood still for {Microseconds(phases.Downtime)}");
        _view.Fact("phases", string.Join(", ", phases.GetRows().Skip(2).SkipLast(1).Select(row => $"{row.Name} {Microseconds(row.Microseconds)}")));
        _view.Fact("meanwhile", $"{Count(report.Sent)} pings, {Count(PingsPerSecond)} a second: {report.Lost} lost, {report.Corrupted} damaged, {report.Duplicated} twice; "
            + $"longest silence {Milliseconds(silence)}");
        return report.IsClean && pings.Failure is null && ShowGuestIsWell();
    }

    /// <summary>The new process is this one's job from now on: it gets the signals that come here, and ends when this one does.</summary>
    private void Follow(ChildProcess successor)
    {
        _successor = successor;
        _waiter = new Thread(() => _job.HandOver(successor)) { Name = "successor", IsBackground = true };
        _waiter.StartOrExplain();
        _machine.Dispose();
    }

    private bool ShowGuestIsWell()
    {
        if (_network.RequestStatus() is not { } status)
        {
            _view.Fact("guest", "does not answer any more");
            return false;
        }

        _view.Fact("guest", $"memory check: {Count(status.CheckPasses)} passes, {status.CheckErrors} errors; its clock went back {status.ClockErrors} times");
        return status is { CheckErrors: 0, ClockErrors: 0 };
    }

    private void EndSuccessor()
    {
        _successor?.Signal(LibC.SIGTERM);
        _waiter?.Join();
    }

    private static string Milliseconds(double microseconds) => Milliseconds(TimeSpan.FromMicroseconds(microseconds));

    private static string Microseconds(double microseconds) => string.Create(CultureInfo.InvariantCulture, $"{microseconds:N0} us");
}
