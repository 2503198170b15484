namespace Vmm.Testbed.Tests.Harness;

/// <summary>What a command left behind.</summary>
/// <param name="ExitCode">128 + N: ended by signal N.</param>
/// <param name="Output">Its standard output.</param>
/// <param name="Error">Its standard error.</param>
public sealed record JobResult(int ExitCode, string Output, string Error)
{
    /// <summary>The output of a command that has to succeed.</summary>
    public string Require(string what)
        => ExitCode == 0 ? Output : throw new InvalidOperationException($"{what}: exit code {ExitCode}\n{Output}\n{Error}");
}
