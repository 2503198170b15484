using BenchmarkDotNet.Running;
using Vmm.Perf.Blackout;
using Vmm.Perf.Compare;
using Vmm.Perf.Migration;

namespace Vmm.Perf;

/// <summary>
/// <c>bench</c>: the in-process benchmarks; what follows goes to BenchmarkDotNet. <c>compare-qemu</c>, <c>compare-qemu-migration</c>: the side-by-sides.
/// <c>blackout</c>: what handing a guest over costs, step by step.
/// </summary>
internal static class Program
{
    private static int Main(string[] arguments)
    {
        switch (arguments)
        {
            case ["bench"]:
                return RunBenchmarks("--filter", "*");
            case ["bench", .. string[] rest]:
                return RunBenchmarks(rest);
            case ["compare-qemu", .. string[] rest]:
                return CompareCommand.Execute(rest);
            case ["compare-qemu-migration", .. string[] rest]:
                return MigrationCommand.Execute(rest);
            case ["blackout", .. string[] rest]:
                return BlackoutCommand.Execute(rest);
            default:
                Console.Error.WriteLine("Usage: perf/run [ARGUMENTS OF BENCHMARKDOTNET], for example perf/run --filter '*Virtqueue*'");
                return 2;
        }
    }

    private static int RunBenchmarks(params string[] arguments)
    {
        BenchmarkSwitcher.FromAssembly(typeof(Program).Assembly).Run(arguments, new PerfConfig());
        return 0;
    }
}
