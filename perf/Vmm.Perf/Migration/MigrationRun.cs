using Vmm.DemoGuest;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>Boots the guest once, hands it over once, and asks it what it has seen.</summary>
internal static class MigrationRun
{
    private static readonly TimeSpan Settle = TimeSpan.FromMilliseconds(200);

    /// <param name="rate">Ticks of the guest's clock in a microsecond.</param>
    public static MigrationSample Measure(MigrationContender contender, double rate)
    {
        IDisposable? destination = null;
        MigrationNetwork.UseFirst();
        try
        {
            using GuestProcess process = GuestProcess.Start(contender.Source);
            using QmpLine line = QmpLine.Open(contender.Socket, process);
            using GuestProbe probe = new();
            probe.WaitForGuest(process);
            Thread.Sleep(Settle);
            ClockReading before = probe.ReadClock();
            probe.TakeLongestGap();

            HandOver handOver = contender.Move(line, out destination);
            using GuestProbe next = new();
            DemoGuestGaps gaps = next.Gaps();
            double longest = next.TakeLongestGap();
            Blackout blackout = new(before, next.ReadClock(), rate);
            line.Execute("quit");
            return new MigrationSample(
                blackout.Find(handOver, gaps), blackout.StoodStill, handOver.ResumedAt - handOver.StoppedAt, longest / rate, handOver.Total);
        }
        finally
        {
            destination?.Dispose();
            contender.CleanUp();
        }
    }

    /// <summary>Ticks of the guest's clock in a microsecond: the host's own counter, which no one scales.</summary>
    public static double MeasureRate(MigrationContender contender)
    {
        MigrationNetwork.UseFirst();
        using GuestProcess process = GuestProcess.Start(contender.Source);
        using GuestProbe probe = new();
        probe.WaitForGuest(process);
        ClockReading first = probe.ReadClock();
        Thread.Sleep(TimeSpan.FromSeconds(3));
        ClockReading last = probe.ReadClock();
        return (last.Ticks - first.Ticks) / (last.Host - first.Host);
    }
}
