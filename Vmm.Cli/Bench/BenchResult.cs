using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Bench;

/// <summary>What became of all updates.</summary>
internal sealed record BenchResult
{
    public required BenchOptions Options { get; init; }

    public required IReadOnlyList<UpdateSample> Samples { get; init; }

    /// <summary>Of the guest's clock, by the host's.</summary>
    public required double TicksPerMicrosecond { get; init; }

    /// <summary>The most that the guest's clock was off the straight line from its first to its last answer, in microseconds; what an answer takes is in it.</summary>
    public required double ClockDeviation { get; init; }

    /// <summary>The guest's last answer; null when there was none.</summary>
    public required DemoGuestStatus? Status { get; init; }

    public required EchoReport? Echo { get; init; }

    public required EchoReport? Bulk { get; init; }

    public required int Flows { get; init; }

    /// <summary>Of the process that runs the guest, after the first and after the last update.</summary>
    public required (Footprint First, Footprint Last) Machine { get; init; }

    /// <summary>Of the process that was started, and only waits, likewise.</summary>
    public required (Footprint First, Footprint Last) Waiter { get; init; }

    /// <summary>Processes of earlier updates that were still there at the end.</summary>
    public required int ProcessesLeft { get; init; }

    /// <summary>What else went wrong.</summary>
    public required IReadOnlyList<string> Failures { get; init; }

    public required TimeSpan Elapsed { get; init; }

    /// <summary>All that is not as it should be, as clauses; nothing when it held.</summary>
    public IReadOnlyList<string> Findings =>
    [
        .. Failures,
        .. Find("echo stream", Echo),
        .. Find("bulk traffic", Bulk),
        .. Status is null ? ["the guest did not answer in the end"] : (string[])[],
        .. Status is { CheckErrors: > 0 } ? [$"the guest found {Status.CheckErrors} wrong words in its memory"] : (string[])[],
        .. Status is { ClockErrors: > 0 } ? [$"the guest's clock went back {Status.ClockErrors} times"] : (string[])[],
        .. Machine.Last.FindGrowth(Machine.First).Select(growth => $"the machine's process has {growth}"),
        .. Waiter.Last.FindGrowth(Waiter.First).Select(growth => $"the process that waits has {growth}"),
        .. ProcessesLeft > 0 ? [$"{ProcessesLeft} processes of earlier updates are left"] : (string[])[],
    ];

    /// <summary>What is measured of every update, in microseconds, in the order of the updates.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Measures
    {
        get
        {
            List<(string, IReadOnlyList<double>)> measures = [];
            for (int i = 0; Samples.Count > 0 && i < Samples[0].Phases.GetRows().Count; i++)
            {
                measures.Add((Samples[0].Phases.GetRows()[i].Name, [.. Samples.Select(sample => sample.Phases.GetRows()[i].Microseconds)]));
            }

            AddIfAny(measures, "guest gap", Samples.Select(sample => sample.GuestGapTicks / TicksPerMicrosecond));
            AddIfAny(measures, "quiet gap", Samples.Select(sample => sample.QuietGapTicks / TicksPerMicrosecond));
            AddIfAny(measures, "echo gap", Samples.Select(sample => sample.Silence?.TotalMicroseconds));
            return measures;
        }
    }

    /// <summary>The update whose downtime is the median one.</summary>
    public UpdateSample MedianUpdate => Samples.OrderBy(sample => sample.Phases.Downtime).ElementAt((Samples.Count - 1) / 2);

    private static void AddIfAny(List<(string, IReadOnlyList<double>)> measures, string name, IEnumerable<double?> values)
    {
        if (values.All(value => value is not null) && values.Any())
        {
            measures.Add((name, [.. values.Select(value => value!.Value)]));
        }
    }

    private static IEnumerable<string> Find(string name, EchoReport? report)
    {
        if (report is { IsClean: false })
        {
            yield return $"{name}: {report.Lost} lost, {report.Duplicated} duplicated, {report.Reordered} reordered, {report.Corrupted} damaged";
        }
    }
}
