using System.Globalization;
using System.Net;

namespace Vmm.Cli.Bench;

/// <summary>The result as one page of HTML that needs nothing else: pictures in SVG, numbers in a table.</summary>
internal static class ResultPage
{
    private const string Style = """
        :root{--ink:#1b1f24;--soft:#6a737d;--line:#d5dae0;--page:#fff;--mark:#2864c7;--gap:#c2571a}
        @media(prefers-color-scheme:dark){:root{--ink:#e4e8ec;--soft:#98a2ad;--line:#3a424b;--page:#14181d;--mark:#6ea3f5;--gap:#eb9560}}
        body{font:15px/1.5 system-ui,sans-serif;color:var(--ink);background:var(--page);max-width:60rem;margin:2rem auto;padding:0 1rem}
        h1{font-size:1.5rem;margin-bottom:.2rem}h2{font-size:1.1rem;margin:2rem 0 .4rem}p{margin:.3rem 0}.soft{color:var(--soft)}
        svg{width:100%;height:auto;display:block}text{fill:var(--ink);font-size:12px}text.soft{fill:var(--soft)}.axis{stroke:var(--line)}
        table{border-collapse:collapse;width:100%;font-variant-numeric:tabular-nums}th,td{padding:.2rem .6rem;border-bottom:1px solid var(--line);text-align:right}
        th:first-child,td:first-child{text-align:left}th{font-weight:600}.good{color:#1a7f37}.bad{color:#d1242f;font-weight:600}
        """;

    public static void Write(TextWriter output, BenchResult result)
    {
        BenchOptions options = result.Options;
        string title = string.Create(CultureInfo.InvariantCulture, $"{result.Samples.Count:N0} live updates");
        output.Write($"""
            <!doctype html>
            <html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width,initial-scale=1"><title>vmm: {title}</title>
            <style>{Style}</style></head><body>
            <h1>{title}</h1>
            <p class="soft">{Text(string.Create(CultureInfo.InvariantCulture, $"vmm {ProgramVersion.Text}; {options.Cpus} vCPU, {options.Memory} of RAM, {options.Queues} queue pairs{(options.Vhost ? " on vhost" : "")}; {result.Elapsed.TotalSeconds:N0} s"))}</p>

            """);
        WriteVerdict(output, result);
        UpdateSample median = result.MedianUpdate;
        output.WriteLine(string.Create(CultureInfo.InvariantCulture, $"<h2>An update with the median downtime (number {median.Number})</h2>"));
        TimelinePicture.Write(output, median);
        output.WriteLine("<h2>How long the guest stood still</h2>");
        DistributionPicture.Write(output, result);
        output.WriteLine("<h2>One after the other</h2>");
        HistoryPicture.Write(output, result);
        WriteTable(output, result);
        output.WriteLine("</body></html>");
    }

    /// <summary>Text as HTML has it.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text);

    private static void WriteVerdict(TextWriter output, BenchResult result)
    {
        IReadOnlyList<string> findings = result.Findings;
        if (findings.Count == 0)
        {
            output.WriteLine("<p class=\"good\">Nothing was lost, and nothing is left.</p>");
        }

        foreach (string finding in findings)
        {
            output.WriteLine($"<p class=\"bad\">{Text(finding)}</p>");
        }

        output.WriteLine("<table>");
        foreach ((string name, string text) in ResultView.Facts(result))
        {
            output.WriteLine($"<tr><td>{Text(name)}</td><td style=\"text-align:left\">{Text(text)}</td></tr>");
        }

        output.WriteLine("</table>");
    }

    private static void WriteTable(TextWriter output, BenchResult result)
    {
        output.WriteLine("<h2>All phases, in microseconds</h2><table><tr><th></th><th>min</th><th>median</th><th>p95</th><th>p99</th><th>max</th></tr>");
        foreach ((string name, IReadOnlyList<double> values) in result.Measures)
        {
            output.WriteLine($"<tr><td>{Text(name)}</td>{string.Concat(new Distribution(values).Summary.Select(value => $"<td>{Distribution.Format(value)}</td>"))}</tr>");
        }

        output.WriteLine("</table>");
    }
}
