using Vmm.Perf.Budgets;

[assembly: Xunit.v3.Parallelization(Mode = Xunit.Sdk.ParallelMode.None)]

namespace Vmm.Perf.Tests;

/// <summary>Hot paths allocate what perf/budgets.json allows, which is nothing.</summary>
public sealed class AllocationBudgetTests
{
    private const int Operations = 2000;

    private static readonly AllocationBudgets Budgets = AllocationBudgets.Load();

    public static TheoryData<string> GatedCases => [.. BenchmarkCase.All.Where(c => Budgets.For(c.Benchmark) is not null).Select(c => c.Name)];

    [Fact]
    public void Budgets_EveryBenchmark_HasExactlyOne()
        => Budgets.Benchmarks.Should().BeEquivalentTo(BenchmarkCase.All.Select(c => c.Benchmark).Distinct());

    [Fact]
    public void Measurement_BodyThatAllocates_IsSeen()
    {
        BenchmarkCase probe = BenchmarkCase.All.Single(c => c.Benchmark == "AllocationProbe.OneObject");
        probe.MeasureBytesPerOperation(Operations).Should().BeGreaterThanOrEqualTo(24, "an object is a header, a method table and a field");
    }

    [Theory]
    [MemberData(nameof(GatedCases))]
    public void HotPath_PerOperation_AllocatesWithinBudget(string name)
    {
        BenchmarkCase benchmark = BenchmarkCase.All.Single(c => c.Name == name);
        if (benchmark.Missing is { } reason)
        {
            Assert.Skip(reason);
        }

        benchmark.MeasureBytesPerOperation(Operations).Should().BeLessThanOrEqualTo(Budgets.For(benchmark.Benchmark)!.Value);
    }
}
