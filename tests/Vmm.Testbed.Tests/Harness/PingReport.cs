using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What ping counted.</summary>
/// <param name="Sent">Echo requests.</param>
/// <param name="Received">Answers.</param>
/// <param name="Average">Round trip in milliseconds.</param>
/// <param name="Longest">Round trip in milliseconds.</param>
public sealed partial record PingReport(int Sent, int Received, double Average, double Longest)
{
    /// <param name="output">Of ping, to its end.</param>
    public static PingReport Parse(string output)
    {
        Match counts = Counts().Match(output);
        Match times = Times().Match(output);
        if (!counts.Success)
        {
            throw new FormatException($"Not what ping prints:\n{output}");
        }

        return new PingReport(
            int.Parse(counts.Groups[1].Value, CultureInfo.InvariantCulture),
            int.Parse(counts.Groups[2].Value, CultureInfo.InvariantCulture),
            times.Success ? double.Parse(times.Groups[1].Value, CultureInfo.InvariantCulture) : double.NaN,
            times.Success ? double.Parse(times.Groups[2].Value, CultureInfo.InvariantCulture) : double.NaN);
    }

    [GeneratedRegex(@"(\d+) packets transmitted, (\d+) received")]
    private static partial Regex Counts();

    [GeneratedRegex(@"min/avg/max/mdev = [\d.]+/([\d.]+)/([\d.]+)")]
    private static partial Regex Times();
}
