using System.Globalization;

namespace Vmm.Cli.Bench;

/// <summary>How often the guest stood still for how long: bars for what the processes measured, a line for what the guest saw.</summary>
internal static class DistributionPicture
{
    private const double Left = 10;
    private const double Right = 890;
    private const double Bottom = 210;
    private const double Height = 160;
    private const int Bins = 80;

    public static void Write(TextWriter output, BenchResult result)
    {
        Distribution downtime = new(result.Samples.Select(sample => sample.Phases.Downtime));
        IReadOnlyList<double> gap = new Distribution(result.Measures.FirstOrDefault(measure => measure.Name == "blackout").Values ?? []).Values;
        LogarithmicAxis axis = LogarithmicAxis.For(downtime.Values.Concat(gap), Left, Right);
        int[] bars = Count(downtime.Values, axis);
        int[] line = Count(gap, axis);
        double scale = Height / Math.Max(1, Math.Max(bars.Max(), line.Max()));

        output.WriteLine("<svg viewBox=\"0 0 900 240\" role=\"img\" aria-label=\"Distribution of the downtime\">");
        foreach (double tick in axis.Ticks)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"<path class=\"axis\" d=\"M{axis[tick]:0.#} {Bottom - Height}V{Bottom}\"/><text class=\"soft\" text-anchor=\"middle\" x=\"{axis[tick]:0.#}\" y=\"{Bottom + 18}\">{tick:N0} µs</text>"));
        }

        const double Step = (Right - Left) / Bins;
        output.Write("<path fill=\"var(--mark)\" opacity=\".8\" d=\"");
        for (int i = 0; i < Bins; i++)
        {
            if (bars[i] > 0)
            {
                output.Write(string.Create(CultureInfo.InvariantCulture, $"M{Left + (i * Step):0.#} {Bottom}v{-bars[i] * scale:0.#}h{Step - 1:0.#}V{Bottom}Z"));
            }
        }

        output.WriteLine("\"/>");
        if (gap.Count > 0)
        {
            string outline = string.Concat(line.Select(count => string.Create(CultureInfo.InvariantCulture, $"V{Bottom - (count * scale):0.#}h{Step:0.##}")));
            output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<path fill=\"none\" stroke=\"var(--gap)\" stroke-width=\"1.5\" d=\"M{Left} {Bottom}{outline}V{Bottom}\"/>"));
        }

        foreach ((string name, double share, int y) in ((string, double, int)[])[("median", 0.5, 14), ("p95", 0.95, 28), ("p99", 0.99, 42)])
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"<path stroke=\"var(--ink)\" stroke-dasharray=\"3 3\" d=\"M{axis[downtime[share]]:0.#} {y}V{Bottom}\"/><text x=\"{axis[downtime[share]] + 4:0.#}\" y=\"{y}\">{name} {Distribution.Format(downtime[share])} µs</text>"));
        }

        output.WriteLine("</svg>");
        output.WriteLine($"<p class=\"soft\">Bars: downtime, from pause to run.{(gap.Count > 0 ? " Line: the gap that the guest saw then, by its own clock." : "")}</p>");
    }

    private static int[] Count(IEnumerable<double> values, LogarithmicAxis axis)
    {
        int[] counts = new int[Bins];
        foreach (double value in values)
        {
            counts[Math.Clamp((int)((axis[value] - Left) / (Right - Left) * Bins), 0, Bins - 1)]++;
        }

        return counts;
    }
}
