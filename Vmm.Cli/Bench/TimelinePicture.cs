using System.Globalization;

namespace Vmm.Cli.Bench;

/// <summary>The phases of one update as two bars: all of it, and below the part in which the guest stands still, enlarged.</summary>
internal static class TimelinePicture
{
    private const double Width = 900;
    private const double BarHeight = 30;
    private const double LeastForLabel = 46;

    private static readonly Dictionary<string, string> _colors = new()
    {
        ["verdict"] = "#9fb3c8",
        ["prepare"] = "#6f8fb0",
        ["pause"] = "#e0a32e",
        ["save"] = "#d97b29",
        ["send"] = "#c9504a",
        ["load"] = "#a94a8c",
        ["apply"] = "#6f56b5",
        ["run"] = "#3f8f5f",
        ["downtime"] = "#c9504a",
    };

    public static void Write(TextWriter output, UpdateSample sample)
    {
        (string Name, double Microseconds)[] phases = [.. sample.Phases.GetRows()];
        (string Name, double Microseconds)[] before = [.. phases.Where(phase => phase.Name is "verdict" or "prepare" or "downtime")];
        (string Name, double Microseconds)[] cut = [.. phases.Where(phase => phase.Name is not ("verdict" or "prepare" or "downtime"))];
        double left = Width * (1 - (sample.Phases.Downtime / before.Sum(phase => phase.Microseconds)));
        output.WriteLine("<svg viewBox=\"0 0 900 150\" role=\"img\" aria-label=\"Phases of an update\">");
        WriteBar(output, 4, before);
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<path d=\"M{left:0.#} 36L0 78H{Width}V36Z\" fill=\"{_colors["downtime"]}\" opacity=\".15\"/>"));
        WriteBar(output, 80, cut);
        output.WriteLine("</svg>");
        output.WriteLine("<p class=\"soft\">Above: from the command on, the guest runs in the old process until the last sliver. Below: that sliver, in which it stands still.</p>");
    }

    private static void WriteBar(TextWriter output, double y, IReadOnlyList<(string Name, double Microseconds)> phases)
    {
        double all = phases.Sum(phase => phase.Microseconds);
        double x = 0;
        foreach ((string name, double microseconds) in phases)
        {
            double width = Width * microseconds / all;
            string time = $"{Distribution.Format(microseconds)} µs";
            output.WriteLine(string.Create(
                CultureInfo.InvariantCulture, $"<rect x=\"{x:0.#}\" y=\"{y}\" width=\"{width:0.#}\" height=\"{BarHeight}\" fill=\"{_colors[name]}\"><title>{name}: {time}</title></rect>"));
            if (width >= LeastForLabel)
            {
                output.WriteLine(string.Create(
                    CultureInfo.InvariantCulture,
                    $"<text x=\"{x + 4:0.#}\" y=\"{y + 19}\" style=\"fill:#10151a\">{name}</text><text class=\"soft\" x=\"{x + 4:0.#}\" y=\"{y + BarHeight + 15}\">{time}</text>"));
            }

            x += width;
        }
    }
}
