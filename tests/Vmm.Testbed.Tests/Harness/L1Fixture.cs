using System.Collections.Concurrent;
using System.Globalization;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>The L1s: as many as there are scenarios at a time, each booted when one wants it, and used again for the next.</summary>
public sealed class L1Fixture : IDisposable
{
    /// <summary>How often, in all, a scenario is run again because the kernel of its L1 has failed.</summary>
    private const int MostRepeats = 2;

    private readonly Lazy<string?> _missing = new(Prerequisites.Missing);
    private readonly Lazy<bool> _images = new(BuildImages);
    private readonly ConcurrentBag<L1> _idle = [];
    private int _count;
    private int _repeats;

    /// <summary>What was measured.</summary>
    public Results Results { get; } = new();

    /// <summary>
    /// Runs a scenario in an L1 of its own. It is run again, in a new one, when L1's kernel has failed before anything else did, and not in vmm; that is
    /// printed and counted. The scenario is skipped where there can be no testbed.
    /// </summary>
    public void Run(Action<L1> scenario)
    {
        Assert.SkipWhen(_missing.Value is not null, _missing.Value ?? "");
        _ = _images.Value;
        while (!TryRun(scenario))
        {
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

    private static bool BuildImages()
    {
        Prerequisites.BuildImages();
        return true;
    }

    /// <returns>False when it is to be run again.</returns>
    private bool TryRun(Action<L1> scenario)
    {
        L1? machine = null;
        bool passed = false;
        try
        {
            machine = _idle.TryTake(out L1? idle) ? idle : Boot();
            scenario(machine);
            machine.RequireClean();
            passed = true;
        }
        catch (Exception exception) when (IsOfL1(exception, machine) && Interlocked.Increment(ref _repeats) <= MostRepeats)
        {
            Results.AddRepeat($"{TestContext.Current.Test?.TestDisplayName}: {machine?.Complaint}\n{exception}");
        }
        finally
        {
            machine?.Guests.ToList().ForEach(guest => guest.Dispose()); // that did not come up
            if (passed && machine is { IsSpoilt: false })
            {
                _idle.Add(machine);
            }
            else
            {
                machine?.Dispose();
            }
        }

        return passed;
    }

    /// <summary>Says nothing about vmm: no assertion and no command has failed while L1 was well, and the trace of its kernel is not one of vmm's main thread.</summary>
    /// <param name="exception">What was thrown.</param>
    /// <param name="machine">Null when it did not boot.</param>
    private static bool IsOfL1(Exception exception, L1? machine)
        => exception is L1LostException or TimeoutException && (machine is null || (machine.Complaint is { } complaint && !complaint.Contains("Comm: vmm", StringComparison.Ordinal)));

    private L1 Boot()
    {
        string number = Interlocked.Increment(ref _count).ToString(CultureInfo.InvariantCulture);
        return new L1(Path.Combine(SourceTree.Artifacts, "L1", number));
    }
}
