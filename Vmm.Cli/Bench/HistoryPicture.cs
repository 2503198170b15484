using System.Globalization;

namespace Vmm.Cli.Bench;

/// <summary>The downtime of every update, and the memory of every process, over their numbers: what grows shows.</summary>
internal static class HistoryPicture
{
    private const double Left = 60;
    private const double Right = 890;

    public static void Write(TextWriter output, BenchResult result)
    {
        output.WriteLine("<svg viewBox=\"0 0 900 290\" role=\"img\" aria-label=\"Downtime and memory over the updates\">");
        WriteDots(output, [.. result.Samples.Select(sample => sample.Phases.Downtime)], 10, 170, "µs", "downtime");
        WriteDots(output, [.. result.Samples.Select(sample => sample.Footprint.PrivateBytes / 1048576.0)], 200, 270, "MiB", "memory without the guest's");
        output.WriteLine("</svg>");
    }

    private static void WriteDots(TextWriter output, IReadOnlyList<double> values, double top, double bottom, string unit, string name)
    {
        LogarithmicAxis axis = LogarithmicAxis.For(values, bottom, top);
        foreach (double tick in axis.Ticks)
        {
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture,
                $"<path class=\"axis\" d=\"M{Left} {axis[tick]:0.#}H{Right}\"/><text class=\"soft\" text-anchor=\"end\" x=\"{Left - 6}\" y=\"{axis[tick] + 4:0.#}\">{tick:N0} {unit}</text>"));
        }

        output.Write("<path stroke=\"var(--mark)\" stroke-width=\"3\" stroke-linecap=\"round\" d=\"");
        for (int i = 0; i < values.Count; i++)
        {
            output.Write(string.Create(CultureInfo.InvariantCulture, $"M{Left + 4 + ((Right - Left - 8) * i / Math.Max(1, values.Count - 1)):0.#} {axis[values[i]]:0.#}h0"));
        }

        output.WriteLine($"\"><title>{name}</title></path>");
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<text text-anchor=\"end\" x=\"{Right}\" y=\"{top + 4}\">{name}</text>"));
    }
}
