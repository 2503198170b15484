using BenchmarkDotNet.Running;

namespace Vmm.Perf;

/// <summary><c>bench</c>: the in-process benchmarks; what follows goes to BenchmarkDotNet.</summary>
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
