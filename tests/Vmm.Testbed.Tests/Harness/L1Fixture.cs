using System.Collections.Concurrent;
using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>The L1s: as many as there are scenarios at a time, each booted when one wants it, and used again for the next.</summary>
public sealed class L1Fixture : IDisposable
{
    /// <summary>How often a scenario is run again when the kernel of its L1 has failed.</summary>
    private const int MostRepeats = 2;

    private readonly Lazy<string?> _missing = new(Prerequisites.Missing);
    private readonly ConcurrentBag<L1> _idle = [];
    private int _count;

    /// <summary>What was measured.</summary>
    public Results Results { get; } = new();

    /// <summary>
    /// Runs a scenario in an L1 of its own. It is run again, in a new one, when L1's kernel has failed, since then it says nothing about vmm; that is
    /// printed and counted. The scenario is skipped where there can be no testbed.
    /// </summary>
    public void Run(Action<L1> scenario)
    {
        Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");
        for (int repeats = 0; ; repeats++)
        {
            L1 machine = _idle.TryTake(out L1? idle) ? idle : Boot();
            try
            {
                scenario(machine);
                return;
            }
            catch (Exception) when (repeats < MostRepeats && machine.Failure is not null)
            {
                Results.AddRepeat($"{TestContext.Current.Test?.TestDisplayName}: {machine.Failure}");
            }
            finally
            {
                Return(machine);
            }
        }
    }

    public void Dispose()
    {
        foreach (L1 machine in _idle)
        {
            machine.Dispose();
        }

        Results.Write(SourceTree.Artifacts);
    }

    private L1 Boot()
    {
        string number = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        return new L1(Path.Combine(SourceTree.Artifacts, "L1", number));
    }

    private void Return(L1 machine)
    {
        machine.Guests.ToList().ForEach(guest => guest.Dispose()); // that did not come up
        if (machine.Failure is null)
        {
            _idle.Add(machine);
        }
        else
        {
            machine.Dispose();
        }
    }
}
