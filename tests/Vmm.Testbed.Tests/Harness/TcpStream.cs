using System.Diagnostics;
using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>One TCP connection of iperf3 to a guest in which <c>iperf3 -s</c> runs, until it is stopped.</summary>
internal sealed partial class TcpStream(L1 machine) : IDisposable
{
    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(60);

    private readonly L1Job _job = machine.Start($"iperf3 -c {Tap.Guest} -t 86400 -i 1 -f m --forceflush");

    /// <summary>Megabits that went through in each second up to now.</summary>
    public double[] Seconds => [.. Interval().Matches(_job.Output).Select(match => double.Parse(match.Groups[1].Value, CultureInfo.InvariantCulture))];

    /// <summary>Waits for two more seconds in which something went through; fails if the connection is gone.</summary>
    public void WaitForMore()
    {
        long start = Stopwatch.GetTimestamp();
        int already = Seconds.Length;
        while (Seconds.Skip(already).Count(megabits => megabits > 0) < 2)
        {
            machine.RequireHealth();
            if (_job.HasExited || Stopwatch.GetElapsedTime(start) > _limit)
            {
                throw new InvalidOperationException($"The connection carries nothing any more.\n{_job.Output}\n{_job.Error}");
            }

            Thread.Sleep(100);
        }
    }

    public void Stop() => _job.Interrupt(TimeSpan.FromSeconds(20));

    public void Dispose() => _job.Kill();

    [GeneratedRegex(@"\d-[\d.]+ +sec +[\d.]+ [KMG]?Bytes +([\d.]+) Mbits/sec")]
    private static partial Regex Interval();
}
