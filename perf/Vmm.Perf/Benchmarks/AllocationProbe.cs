using BenchmarkDotNet.Attributes;

namespace Vmm.Perf.Benchmarks;

/// <summary>The counterpart of the gate: what it must be able to see.</summary>
public class AllocationProbe
{
    private object? _last;

    [Benchmark]
    public int OneObject()
    {
        _last = new int[1];
        return _last.GetHashCode() & 1;
    }
}
