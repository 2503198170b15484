using Vmm.DemoGuest;

namespace Vmm.Perf.Migration;

/// <summary>How long the guest was away, from its own list of gaps and its clock before and after.</summary>
/// <param name="Before">Its clock before the hand-over.</param>
/// <param name="After">Its clock afterwards.</param>
/// <param name="Rate">Ticks of the clock in a microsecond.</param>
internal sealed record Blackout(ClockReading Before, ClockReading After, double Rate)
{
    /// <summary>Microseconds by which the guest's clock fell behind: a monitor may save the counter as it was and set it so later.</summary>
    public double StoodStill => After.Host - Before.Host - ((After.Ticks - Before.Ticks) / Rate);

    /// <summary>The gap in which the pause lies, in microseconds of the host's clock; NaN when it is not on the list.</summary>
    public double Find(HandOver handOver, DemoGuestGaps gaps)
    {
        // A gap that ended before the pause did so by the clock of before. The first one that did not is it, or comes after it: then it
        // began too late.
        double middle = (handOver.StoppedAt + handOver.ResumedAt) / 2;
        foreach ((ulong end, ulong length) in gaps.Latest.OrderBy(gap => gap.End))
        {
            double endedAt = After.ToHost(end, Rate);
            double blackout = (length / Rate) + StoodStill;
            if (Before.ToHost(end, Rate) > handOver.StoppedAt && endedAt > middle)
            {
                return endedAt - blackout < middle ? blackout : double.NaN;
            }
        }

        return double.NaN;
    }
}
