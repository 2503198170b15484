using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Vmm.DemoGuest;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>Asks the demo guest for its clock and its gaps.</summary>
internal sealed class GuestProbe : IDisposable
{
    private const int Exchanges = 50;

    private static readonly TimeSpan BootLimit = TimeSpan.FromSeconds(20);

    private readonly Socket _socket = new(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp) { ReceiveTimeout = 20 };
    private readonly byte[] _answer = new byte[DemoGuestStatus.Size];

    public GuestProbe() => _socket.Connect(new IPEndPoint(IPAddress.Parse(Contender.GuestAddress), DemoGuestStatus.Port));

    /// <summary>Microseconds since 1970, as QMP's events have them.</summary>
    public static double Now => (DateTime.UtcNow - DateTime.UnixEpoch).TotalMicroseconds;

    /// <summary>Asks until the guest has booted.</summary>
    public void WaitForGuest(GuestProcess process) => Ask(DemoGuestStatus.TryParse, 0, process);

    public DemoGuestGaps Gaps() => Ask(DemoGuestGaps.TryParse, DemoGuestGaps.Request);

    /// <summary>Its longest gap in ticks since it was asked last.</summary>
    public double TakeLongestGap() => Ask(DemoGuestStatus.TryParse, DemoGuestStatus.ResetLongestGap).LongestGapTicks;

    /// <summary>What its clock says at a moment of the host's, from the fastest of many exchanges: good to a fraction of a round trip.</summary>
    public ClockReading ReadClock()
    {
        (double RoundTrip, ClockReading Reading) best = (double.MaxValue, default);
        for (int i = 0; i < Exchanges; i++)
        {
            double asked = Now;
            ulong ticks = Ask(DemoGuestStatus.TryParse, 0).UptimeTicks;
            double roundTrip = Now - asked;
            if (roundTrip < best.RoundTrip)
            {
                best = (roundTrip, new ClockReading(asked + (roundTrip / 2), ticks));
            }
        }

        return best.Reading;
    }

    public void Dispose() => _socket.Dispose();

    private delegate T? Parser<T>(ReadOnlySpan<byte> answer);

    private T Ask<T>(Parser<T> parse, byte request, GuestProcess? process = null)
        where T : class
    {
        for (long start = Stopwatch.GetTimestamp(); Stopwatch.GetElapsedTime(start) < BootLimit && process is not { HasExited: true };)
        {
            // An answer that came too late for an earlier question would be taken for this one's.
            while (_socket.Available > 0)
            {
                _socket.Receive(_answer, SocketFlags.None, out _);
            }

            _socket.Send([request], SocketFlags.None, out SocketError sent);
            int length = _socket.Receive(_answer, SocketFlags.None, out SocketError received);
            if (sent == SocketError.Success && received == SocketError.Success && parse(_answer.AsSpan(0, length)) is { } answer)
            {
                return answer;
            }
        }

        throw new InvalidOperationException("The guest does not answer.");
    }
}
