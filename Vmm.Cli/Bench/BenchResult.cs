using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Bench;

/// <summary>What became of all updates.</summary>
internal sealed record BenchResult
{
    public required BenchOptions Options { get; init; }

    public required IReadOnlyList<UpdateSample> Samples { get; init; }

    public required GuestClock Clock { get; init; }

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
        .. Samples.Count == 0 ? [] : Machine.Last.FindGrowth(Machine.First).Select(growth => $"the machine's process has {growth}"),
        .. Samples.Count == 0 ? [] : Waiter.Last.FindGrowth(Waiter.First).Select(growth => $"the process that waits has {growth}"),
        .. ProcessesLeft > 0 ? [$"{ProcessesLeft} processes of earlier updates are left"] : (string[])[],
    ];

    /// <summary>What is measured of every update, in microseconds, in the order of the updates; NaN where it is not known.</summary>
    public IReadOnlyList<(string Name, IReadOnlyList<double> Values)> Measures
    {
        get
        {
            List<(string, IReadOnlyList<double>)> measures = [];
            for (int i = 0; Samples.Count > 0 && i < Samples[0].Phases.GetRows().Count; i++)
            {
                measures.Add((Samples[0].Phases.GetRows()[i].Name, [.. Samples.Select(sample => sample.Phases.GetRows()[i].Microseconds)]));
            }

            AddIfAny(measures, "blackout", Samples.Select(FindBlackout));
            AddIfAny(measures, "guest gap", Samples.Select(sample => sample.GuestGapTicks / Clock.TicksPerMicrosecond));
            AddIfAny(measures, "quiet gap", Samples.Select(sample => sample.QuietGapTicks / Clock.TicksPerMicrosecond));
            AddIfAny(measures, "echo gap", Samples.Select(sample => sample.Silence?.TotalMicroseconds));
            return measures;
        }
    }

    /// <summary>The update whose downtime is the median one.</summary>
    public UpdateSample MedianUpdate => Samples.OrderBy(sample => sample.Phases.Downtime).ElementAt((Samples.Count - 1) / 2);

    private double? FindBlackout(UpdateSample sample) => sample.GuestGapTicks is null ? null
        : Clock.FindGap(sample.Phases.PausedAt, sample.Phases.PausedAt + sample.Phases.Downtime, sample.Gaps.Latest);

    private static void AddIfAny(List<(string, IReadOnlyList<double>)> measures, string name, IEnumerable<double?> values)
    {
        double[] known = [.. values.Select(value => value ?? double.NaN)];
        if (known.Any(value => !double.IsNaN(value)))
        {
            measures.Add((name, known));
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
