using System.Globalization;

namespace Vmm.Perf.Compare;

/// <summary>The side-by-side as a Markdown table.</summary>
internal static class ComparisonTable
{
    private sealed record Row(string Name, Func<Measurement, double> Value, string Format, string Target);

    private static readonly Row[] Rows =
    [
        new("start to first serial output, ms", m => m.FirstOutput, "F1", "≤ 0.50"),
        new("start to first ping answer, ms", m => m.FirstPing, "F1", ""),
        new("ping round trip, median, µs", m => m.PingRoundTrip, "F1", "≤ 1, aim 0.80"),
        new("UDP echo, 1 in flight, 1/s", m => m.EchoRateOne, "F0", "≥ 1, aim 1.20"),
        new("UDP echo, 32 in flight, 1/s", m => m.EchoRateMany, "F0", "≥ 1, aim 1.20"),
        new("RSS without guest RAM, MiB", m => m.Resident, "F1", "≤ 0.40"),
    ];

    /// <summary>Runs of the same index are neighbours in time. One of the lists may be empty: then there are no ratios.</summary>
    public static void Write(TextWriter output, IReadOnlyList<Measurement> ours, IReadOnlyList<Measurement> theirs, string other)
    {
        output.WriteLine($"| | vmm | {other} | ratio (10 % to 90 %) | target |");
        output.WriteLine("|---|---:|---:|---:|---:|");
        foreach (Row row in Rows)
        {
            double[] ratios = [.. ours.Zip(theirs, (a, b) => row.Value(a) / row.Value(b))];
            output.WriteLine($"| {row.Name} | {Median(row, ours)} | {Median(row, theirs)} | {Ratio(ratios)} | {row.Target} |");
        }
    }

    private static string Median(Row row, IReadOnlyList<Measurement> runs)
        => runs.Count == 0 ? "" : Statistics.Median(runs.Select(row.Value)).ToString(row.Format, CultureInfo.InvariantCulture);

    private static string Ratio(double[] ratios) => ratios.Length == 0
        ? ""
        : string.Create(CultureInfo.InvariantCulture, $"**{Statistics.Median(ratios):F2}** ({Statistics.Quantile(ratios, 0.1):F2} to {Statistics.Quantile(ratios, 0.9):F2})");
}
