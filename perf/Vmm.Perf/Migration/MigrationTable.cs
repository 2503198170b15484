using System.Globalization;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>The side-by-side as a Markdown table. The first contender is what the others are compared with.</summary>
internal static class MigrationTable
{
    private static readonly (string Name, Func<MigrationSample, double> Value)[] Measures =
    [
        ("blackout", sample => sample.Blackout),
        ("downtime, says the monitor", sample => sample.Downtime),
        ("longest gap by its clock", sample => sample.LongestGap),
        ("total", sample => sample.Total),
    ];

    /// <param name="samples">Per contender its runs; those of the same index are neighbours in time.</param>
    public static void Write(TextWriter output, IReadOnlyList<(string Name, IReadOnlyList<MigrationSample> Runs)> samples)
    {
        output.WriteLine($"| µs | | median | min | p95 | max | ratio to {samples[0].Name} (10 % to 90 %) |");
        output.WriteLine("|---|---|---:|---:|---:|---:|---:|");
        foreach ((string measure, Func<MigrationSample, double> value) in Measures)
        {
            for (int i = 0; i < samples.Count; i++)
            {
                (string name, IReadOnlyList<MigrationSample> runs) = samples[i];
                double[] known = [.. runs.Select(value).Where(v => !double.IsNaN(v))];
                string ratio = i > 0 ? Ratio(samples[0].Runs.Zip(runs, (a, b) => value(b) / value(a))) : "";
                output.WriteLine(
                    $"| {measure} | {name} | {Text(Statistics.Median(known))} | {Text(Statistics.Quantile(known, 0))} | "
                    + $"{Text(Statistics.Quantile(known, 0.95))} | {Text(Statistics.Quantile(known, 1))} | {ratio} |");
            }
        }
    }

    private static string Text(double microseconds) => microseconds.ToString("N0", CultureInfo.InvariantCulture);

    private static string Ratio(IEnumerable<double> pairs)
    {
        double[] ratios = [.. pairs.Where(ratio => !double.IsNaN(ratio))];
        return string.Create(
            CultureInfo.InvariantCulture, $"**{Statistics.Median(ratios):F1}** ({Statistics.Quantile(ratios, 0.1):F1} to {Statistics.Quantile(ratios, 0.9):F1})");
    }
}
