namespace Vmm.Cli.Tests;

/// <summary>Resource limits that are too low: a sentence that names the limit, exit code 125, nothing of the runtime's own.</summary>
public sealed class LimitTests
{
    public LimitTests() => Host.RequireKvm();

    [Fact]
    public void OpenFiles_WhereverTheyRunOut_NamesTheLimit()
    {
        // The runtime and the loader need a few before there is anybody to say so.
        for (int files = 6; files <= 19; files++)
        {
            using VmmProcess process = VmmProcess.StartProgram("sh", "-c", $"ulimit -n {files}; exec {Host.Binary} run --kernel demo --console none --net none --append exit=5");
            int code = process.WaitForExit();

            if (code != 5)
            {
                code.Should().Be(ExitCode.HostError, $"{files} files: {process.Error}");
                process.Error.Should().StartWith("vmm: ").And.EndWith("raise the limit: ulimit -n 4096.\n");
                process.Error.Should().NotContain("   at ");
            }
        }
    }

    [Theory]
    [InlineData(4)]
    [InlineData(5)]
    [InlineData(6)]
    public void Threads_TooFew_NamesTheLimit(int threads)
    {
        using NobodysVmm nobody = NobodysVmm.Require();
        using VmmProcess process = nobody.StartWithThreads(threads, "run", "--kernel", "demo", "--console", "none", "--net", "none", "--net", "none");

        process.WaitForExit().Should().Be(ExitCode.HostError, process.Error);
        process.Error.Should().StartWith("vmm: ").And.Contain("ulimit -u").And.NotContain("   at ").And.NotContain("Insufficient memory");
        process.Error.TrimEnd('\n').Should().NotContain("\n");
    }
}
