using System.Text.Json;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What iperf3 measured, at the receiving end.</summary>
/// <param name="Megabits">Received per second.</param>
/// <param name="Sent">Bytes that the other end sent.</param>
/// <param name="Received">Bytes.</param>
public sealed record IperfReport(double Megabits, long Sent, long Received)
{
    /// <summary>Of what was sent.</summary>
    public double LostPercent => 100.0 * (Sent - Received) / Sent;

    /// <summary>Traffic between L1 and a guest in which <c>iperf3 -s</c> runs.</summary>
    /// <param name="machine">L1.</param>
    /// <param name="options">More options of the client, -R and -u among them.</param>
    public static IperfReport Measure(L1 machine, string options)
    {
        const int Seconds = 2;
        string command = $"timeout 40 iperf3 -c {Tap.Guest} -t {Seconds} -J {options}";
        JobResult result = machine.Run(command);
        if (result.ExitCode != 0 && options.Contains("-u", StringComparison.Ordinal))
        {
            // Its first datagram is not repeated when it is lost; then iperf3 gives up after half a minute, or waits for ever.
            result = machine.Run(command);
        }

        return Parse(result.Require(command));
    }

    /// <param name="json">Of <c>iperf3 -J</c>.</param>
    public static IperfReport Parse(string json)
    {
        using JsonDocument document = JsonDocument.Parse(json);
        JsonElement end = document.RootElement.GetProperty("end");
        // Not "sum", which is what was sent, and not "lost_percent", which counts gaps: a stream that breaks off has none.
        JsonElement received = end.GetProperty("sum_received");
        return new IperfReport(received.GetProperty("bits_per_second").GetDouble() / 1e6, end.GetProperty("sum_sent").GetProperty("bytes").GetInt64(), received.GetProperty("bytes").GetInt64());
    }
}
