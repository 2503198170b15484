using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Vmm.Cli.Demo;

/// <summary>
/// Sends echo requests, numbered and filled with a pattern that depends on the number, and checks every answer.
/// </summary>
/// <remarks>One series at a time. The socket belongs to the network namespace of the thread that constructs the client.</remarks>
internal abstract class EchoClient : IDisposable
{
    /// <summary>The least payload: the request's number and the run's.</summary>
    public const int MinPayload = 8;

    private const int MaxDatagram = 65_535;

    private readonly byte[] _request = new byte[MaxDatagram];
    private readonly byte[] _answer = new byte[MaxDatagram];
    private uint _run;
    private int _payload;

    protected EchoClient(Socket socket, EndPoint target)
    {
        Socket = socket;
        socket.ReceiveBufferSize = 4 << 20;
        socket.SendBufferSize = 4 << 20;
        socket.Connect(target);
    }

    protected Socket Socket { get; }

    /// <summary>Bytes before the payload in what is sent.</summary>
    protected abstract int HeaderSize { get; }

    /// <summary>Sends <paramref name="count"/> requests with up to <paramref name="window"/> in flight.</summary>
    /// <param name="payload">Bytes of payload, <see cref="MinPayload"/> or more.</param>
    /// <param name="timeout">After this long without an answer, what is in flight counts as lost.</param>
    /// <param name="proceed">Called between requests with the number of answers so far; false ends the series early.</param>
    public EchoReport Run(int count, int window, int payload, TimeSpan timeout, Func<int, bool>? proceed = null)
    {
        Begin(payload, timeout);
        EchoTally tally = new();
        long[] sentAt = new long[count];
        long[] roundTrips = new long[count];
        int sent = 0;
        int settled = 0;
        long start = Stopwatch.GetTimestamp();
        long last = start;
        while (settled < count && proceed?.Invoke(tally.Answered) != false)
        {
            while (sent < count && sent - settled < window)
            {
                sentAt[sent] = Stopwatch.GetTimestamp();
                Send(sent);
                sent++;
            }

            EchoAnswer answer = Receive(out int number);
            if (answer == EchoAnswer.TimedOut)
            {
                settled = sent;
            }
            else if (tally.TryCount(answer, number, sent))
            {
                last = Stopwatch.GetTimestamp();
                roundTrips[number] = Math.Max(1, last - sentAt[number]);
                settled++;
            }
        }

        return tally.Report(sent, Stopwatch.GetElapsedTime(start, last), [.. roundTrips.Where(ticks => ticks != 0)]);
    }

    /// <summary>Begins a series of requests: answers to earlier ones are nobody's from now on.</summary>
    /// <param name="payload">Bytes of payload, <see cref="MinPayload"/> or more.</param>
    /// <param name="timeout">Of <see cref="Receive"/>.</param>
    public void Begin(int payload, TimeSpan timeout)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(payload, MinPayload);
        Socket.ReceiveTimeout = (int)timeout.TotalMilliseconds;
        _payload = payload;
        _run++;
    }

    /// <summary>Sends one request of the series. One thread at a time, which need not be the one that receives.</summary>
    /// <param name="number">From 0.</param>
    public void Send(int number)
    {
        Span<byte> packet = _request.AsSpan(0, HeaderSize + _payload);
        Span<byte> payload = packet[HeaderSize..];
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)number);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], _run);
        uint value = Seed(number);
        for (int i = MinPayload; i < payload.Length; i++)
        {
            payload[i] = Next(ref value);
        }

        WriteHeader(packet, number);
        Socket.Send(packet);
    }

    /// <summary>Waits for an answer of the series, and checks it.</summary>
    /// <param name="number">Of the request, if the answer is intact.</param>
    public EchoAnswer Receive(out int number)
    {
        number = -1;
        int length = Socket.Receive(_answer, SocketFlags.None, out SocketError error);
        if (error is SocketError.TimedOut or SocketError.WouldBlock)
        {
            return EchoAnswer.TimedOut;
        }

        ReadOnlySpan<byte> payload = error == SocketError.Success ? GetPayload(_answer.AsSpan(0, length)) : [];
        if (payload.Length < MinPayload || BinaryPrimitives.ReadUInt32BigEndian(payload[4..]) != _run)
        {
            // Of an earlier run that was given up, or not ours at all.
            return EchoAnswer.Foreign;
        }

        number = (int)BinaryPrimitives.ReadUInt32BigEndian(payload);
        return IsIntact(payload, number) ? EchoAnswer.Intact : EchoAnswer.Damaged;
    }

    public void Dispose() => Socket.Dispose();

    /// <summary>Completes the header before the payload, which is in place.</summary>
    /// <param name="packet">Header and payload.</param>
    /// <param name="number">Of the request, from 0.</param>
    protected abstract void WriteHeader(Span<byte> packet, int number);

    /// <summary>The payload of what was received; empty when it is no answer to this client.</summary>
    protected abstract ReadOnlySpan<byte> GetPayload(ReadOnlySpan<byte> received);

    // After the request's number and the run's come bytes that depend on both the number and their place.
    private static uint Seed(int number) => (uint)number * 2_654_435_761u | 1;

    private static byte Next(ref uint value)
    {
        value = value * 1_664_525u + 1_013_904_223u;
        return (byte)(value >> 24);
    }

    private bool IsIntact(ReadOnlySpan<byte> payload, int number)
    {
        if (payload.Length != _payload || number < 0)
        {
            return false;
        }

        uint value = Seed(number);
        foreach (byte actual in payload[MinPayload..])
        {
            if (actual != Next(ref value))
            {
                return false;
            }
        }

        return true;
    }
}
