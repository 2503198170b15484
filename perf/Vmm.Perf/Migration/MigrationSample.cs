namespace Vmm.Perf.Migration;

/// <summary>What one hand-over gave; microseconds.</summary>
/// <param name="Blackout">
/// The gap between two rounds of the guest's main loop in which the pause lies, plus <paramref name="StoodStill"/>. NaN when the guest does not
/// have it on its list any more.
/// </param>
/// <param name="StoodStill">By how much the guest's clock fell behind the host's.</param>
/// <param name="Downtime">What the monitor says about it.</param>
/// <param name="LongestGap">The guest's longest gap by its own clock, from the command to the answer after it.</param>
/// <param name="Total">From the command until the guest runs in the new process and the old one is done with it.</param>
internal sealed record MigrationSample(double Blackout, double StoodStill, double Downtime, double LongestGap, double Total);
