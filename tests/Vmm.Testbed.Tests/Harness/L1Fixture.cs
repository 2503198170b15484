namespace Vmm.Testbed.Tests.Harness;

/// <summary>L1, booted for the first test that wants it, and shared by all.</summary>
public sealed class L1Fixture : IDisposable
{
    private readonly Lazy<string?> _missing = new(Prerequisites.Missing);
    private L1? _machine;

    /// <summary>What was measured.</summary>
    public Results Results { get; } = new();

    /// <summary>L1; a test that asks for it is skipped where there can be none.</summary>
    public L1 Machine
    {
        get
        {
            Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");
            return _machine ??= new L1(Path.Combine(SourceTree.Artifacts, "share"));
        }
    }

    /// <summary>Runs a scenario; once more, in a new L1, when L1's kernel has panicked meanwhile. That is not a guest's doing: see docs/testbed.md.</summary>
    public void Run(Action<L1> scenario)
    {
        L1 machine = Machine;
        try
        {
            scenario(machine);
        }
        catch (Exception) when (machine.HasPanicked)
        {
            Console.WriteLine($"L1's kernel panicked; {TestContext.Current.Test?.TestDisplayName} is repeated.\n{machine.Console}");
            machine.Dispose();
            _machine = null;
            scenario(Machine);
        }
    }

    public void Dispose()
    {
        _machine?.Dispose();
        Results.Write(SourceTree.Artifacts);
    }
}
