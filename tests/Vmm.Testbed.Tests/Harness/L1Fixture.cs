namespace Vmm.Testbed.Tests.Harness;

/// <summary>L1, booted for the first test that wants it, and shared by all.</summary>
public sealed class L1Fixture : IDisposable
{
    private readonly Lazy<string?> _missing = new(Prerequisites.Missing);
    private readonly Lazy<L1> _machine = new(() => new L1(Path.Combine(SourceTree.Artifacts, "share")));

    /// <summary>What was measured.</summary>
    public Results Results { get; } = new();

    /// <summary>L1; a test that asks for it is skipped where there can be none.</summary>
    public L1 Machine
    {
        get
        {
            Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");
            return _machine.Value;
        }
    }

    public void Dispose()
    {
        if (_machine.IsValueCreated)
        {
            _machine.Value.Dispose();
        }

        Results.Write(SourceTree.Artifacts);
    }
}
