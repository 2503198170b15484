namespace Vmm.Testbed.Tests.Harness;

/// <summary>L1, booted for the first test that wants it, and shared by all.</summary>
public sealed class L1Fixture : IDisposable
{
    /// <summary>How often a scenario is run again when the emulated CPU has failed it.</summary>
    private const int MostRepeats = 2;

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
            if (_machine is { Failure: not null })
            {
                _machine.Dispose();
                _machine = null;
            }

            return _machine ??= new L1(Path.Combine(SourceTree.Artifacts, "share"));
        }
    }

    /// <summary>
    /// Runs a scenario; again, when the CPU that QEMU emulates has failed it: L1's kernel has, or a guest stands still or has crashed without a
    /// word. All of that happens without a live update, and to QEMU's guests as well (docs/testbed.md). It is never silent, and for no other reason.
    /// </summary>
    public void Run(Action<L1> scenario)
    {
        for (int repeats = 0; ; repeats++)
        {
            L1 machine = Machine;
            string? excuse = null;
            machine.Guests.ToList().ForEach(guest => guest.Dispose()); // that did not come up
            try
            {
                scenario(machine);
                return;
            }
            catch (Exception) when (repeats < MostRepeats && (excuse = FindExcuse(machine)) is not null) // A filter: the guests are still there.
            {
                Results.AddRepeat($"{TestContext.Current.Test?.TestDisplayName}: {excuse}");
            }
        }
    }

    public void Dispose()
    {
        _machine?.Dispose();
        Results.Write(SourceTree.Artifacts);
    }

    private static string? FindExcuse(L1 machine)
        => machine.Failure is { } failure ? $"L1 has failed\n{failure}" : machine.Guests.Select(guest => guest.DescribeFailure()).FirstOrDefault(text => text is not null);
}
