using System.Globalization;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Blackout;

/// <summary>Steps and their quantiles as a Markdown table.</summary>
internal static class StepTable
{
    public static void Write(TextWriter output, string title, StepTimes times)
    {
        output.WriteLine($"| {title}, µs | median | p95 | p99 |");
        output.WriteLine("|---|---:|---:|---:|");
        foreach (string name in times.Names)
        {
            IReadOnlyList<double> samples = times[name];
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"| {name} | {Statistics.Median(samples):F1} | {Statistics.Quantile(samples, 0.95):F1} | {Statistics.Quantile(samples, 0.99):F1} |"));
        }

        output.WriteLine();
    }
}
