namespace Vmm.Testing;

/// <summary>What a step allocates on its thread, once it is warm.</summary>
/// <remarks>
/// <code>
/// AllocationMeter meter = new();
/// while (meter.WantsMore)
/// {
///     meter.Measure(() => step());
/// }
///
/// meter.Least.Should().Be(0);
/// </code>
/// What the runtime does once, when it compiles, or when a lock is contended for the first time, is in one round of many steps; an object of the step's
/// own is in each. So it is the round with the least that counts, and one with nothing ends it.
/// </remarks>
public sealed class AllocationMeter
{
    private const int StepsInRound = 500;
    private const int MostRounds = 10;

    private long _round;

    /// <summary>Steps up to now.</summary>
    public int Steps { get; private set; }

    /// <summary>Bytes in the round that had the least.</summary>
    public long Least { get; private set; } = long.MaxValue;

    public bool WantsMore => Least > 0 && Steps < StepsInRound * MostRounds;

    /// <summary>One step. What the caller does between two of them does not count.</summary>
    public void Measure(Action step)
    {
        long before = GC.GetAllocatedBytesForCurrentThread();
        step();
        _round += GC.GetAllocatedBytesForCurrentThread() - before;
        Steps++;
        if (Steps % StepsInRound == 0)
        {
            Least = Math.Min(Least, _round);
            _round = 0;
        }
    }
}
