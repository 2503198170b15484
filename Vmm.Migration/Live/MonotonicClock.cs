using System.Diagnostics;

namespace Vmm.Migration.Live;

/// <summary>CLOCK_MONOTONIC in nanoseconds: the same in all processes of the host.</summary>
public static class MonotonicClock
{
    public static long Now => (long)(Stopwatch.GetTimestamp() * (1e9 / Stopwatch.Frequency));
}
