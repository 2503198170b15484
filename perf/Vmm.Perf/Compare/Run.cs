using System.Diagnostics;
using System.Net;

namespace Vmm.Perf.Compare;

/// <summary>Boots one contender once and measures it from outside.</summary>
internal sealed class Run(Contender contender, TimeSpan duration)
{
    private const int EchoPort = 7;
    private const int InFlight = 32;
    private const int WarmUp = 200;
    private const int LostAfterMilliseconds = 1000;

    private static readonly IPAddress Guest = IPAddress.Parse(Contender.GuestAddress);

    /// <summary>Messages that did not come back.</summary>
    public int Lost { get; private set; }

    public Measurement Measure()
    {
        using EchoSocket ping = EchoSocket.OpenIcmp(Guest);
        using GuestProcess process = GuestProcess.Start(contender);
        TimeSpan firstPing = WaitForFirstPing(ping, process);
        TimeSpan firstOutput = process.WaitForFirstOutput();
        Drain(ping);
        double roundTrip = MedianRoundTrip(ping);
        using EchoSocket udp = EchoSocket.OpenUdp(Guest, EchoPort);
        double one = Rate(udp, 1);
        double many = Rate(udp, InFlight);
        return new Measurement(
            firstOutput.TotalMilliseconds, firstPing.TotalMilliseconds, roundTrip, one, many, process.ResidentWithoutGuestMemory() / 1024.0);
    }

    /// <summary>A request every millisecond until one is answered. What was sent before the guest listened waits in the TAP or is gone.</summary>
    private TimeSpan WaitForFirstPing(EchoSocket ping, GuestProcess process)
    {
        for (uint number = 0; ; number++)
        {
            ping.TrySend(number);
            if (ping.TryReceive(out _, timeoutMilliseconds: 1))
            {
                return Stopwatch.GetElapsedTime(process.StartedAt);
            }

            if (process.HasExited || Stopwatch.GetElapsedTime(process.StartedAt) > TimeSpan.FromSeconds(10))
            {
                throw new InvalidOperationException($"{contender.Name} does not answer pings: {contender.CommandText}");
            }
        }
    }

    private static void Drain(EchoSocket socket)
    {
        while (socket.TryReceive(out _, timeoutMilliseconds: 20))
        {
        }
    }

    /// <summary>Microseconds.</summary>
    private double MedianRoundTrip(EchoSocket ping)
    {
        List<double> samples = new(1 << 16);
        long begin = Stopwatch.GetTimestamp();
        for (uint number = 0; number < WarmUp || Stopwatch.GetElapsedTime(begin) < duration; number++)
        {
            if (number == WarmUp)
            {
                begin = Stopwatch.GetTimestamp();
            }

            long start = Stopwatch.GetTimestamp();
            ping.TrySend(number);
            if (!ping.TryReceive(out uint answer, LostAfterMilliseconds) || answer != number)
            {
                Lost++;
                Drain(ping);
            }
            else if (number >= WarmUp)
            {
                samples.Add(Stopwatch.GetElapsedTime(start).TotalMicroseconds);
            }
        }

        return Statistics.Median(samples);
    }

    /// <summary>Echoes a second with a window of <paramref name="window"/> messages.</summary>
    private double Rate(EchoSocket udp, int window)
    {
        uint sent = 0;
        uint received = 0;
        long start = Stopwatch.GetTimestamp();
        while (sent < window)
        {
            udp.TrySend(sent++);
        }

        while (Stopwatch.GetElapsedTime(start) < duration)
        {
            if (udp.TryReceive(out _, LostAfterMilliseconds))
            {
                received++;
                udp.TrySend(sent++);
                continue;
            }

            // All that were in flight are gone: begin anew.
            Lost += window;
            for (int i = 0; i < window; i++)
            {
                udp.TrySend(sent++);
            }
        }

        double rate = received / Stopwatch.GetElapsedTime(start).TotalSeconds;
        Drain(udp);
        return rate;
    }
}
