using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;

namespace Vmm.Cli.Demo;

/// <summary>
/// Sends echo requests, numbered and filled with a pattern that depends on the number, and checks every answer.
/// </summary>
/// <remarks>One thread at a time. The socket belongs to the network namespace of the thread that constructs the client.</remarks>
internal abstract class EchoClient : IDisposable
{
    /// <summary>The least payload: the request's number and the run's.</summary>
    public const int MinPayload = 8;

    private const int MaxDatagram = 65_535;

    private readonly byte[] _request = new byte[MaxDatagram];
    private readonly byte[] _answer = new byte[MaxDatagram];
    private uint _run;

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
        ArgumentOutOfRangeException.ThrowIfLessThan(payload, MinPayload);
        Socket.ReceiveTimeout = (int)timeout.TotalMilliseconds;
        _run++;
        long[] sentAt = new long[count];
        long[] roundTrips = new long[count];
        int sent = 0;
        int settled = 0;
        int answered = 0;
        int corrupted = 0;
        int duplicated = 0;
        long start = Stopwatch.GetTimestamp();
        long last = start;
        while (settled < count && proceed?.Invoke(answered) != false)
        {
            while (sent < count && sent - settled < window)
            {
                sentAt[sent] = Stopwatch.GetTimestamp();
                Send(sent, payload);
                sent++;
            }

            ReadOnlySpan<byte> answer = Receive(out bool timedOut);
            if (timedOut)
            {
                settled = sent;
                continue;
            }

            if (answer.Length < MinPayload || BinaryPrimitives.ReadUInt32BigEndian(answer[4..]) != _run)
            {
                // Of an earlier run that was given up, or not ours at all.
                continue;
            }

            uint number = BinaryPrimitives.ReadUInt32BigEndian(answer);
            if (number >= sent || !IsIntact(answer, (int)number, payload))
            {
                corrupted++;
                continue;
            }

            if (roundTrips[number] != 0)
            {
                duplicated++;
                continue;
            }

            last = Stopwatch.GetTimestamp();
            roundTrips[number] = Math.Max(1, last - sentAt[number]);
            answered++;
            settled++;
        }

        return new EchoReport(sent, answered, corrupted, duplicated, Stopwatch.GetElapsedTime(start, last), [.. roundTrips.Where(ticks => ticks != 0)]);
    }

    public void Dispose() => Socket.Dispose();

    /// <summary>Completes the header before the payload, which is in place.</summary>
    /// <param name="packet">Header and payload.</param>
    /// <param name="number">Of the request, from 0.</param>
    protected abstract void WriteHeader(Span<byte> packet, int number);

    /// <summary>The payload of what was received; empty when it is no answer to this client.</summary>
    protected abstract ReadOnlySpan<byte> GetPayload(ReadOnlySpan<byte> received);

    private void Send(int number, int payload)
    {
        Span<byte> packet = _request.AsSpan(0, HeaderSize + payload);
        Fill(packet[HeaderSize..], number);
        WriteHeader(packet, number);
        Socket.Send(packet);
    }

    private ReadOnlySpan<byte> Receive(out bool timedOut)
    {
        int length = Socket.Receive(_answer, SocketFlags.None, out SocketError error);
        timedOut = error is SocketError.TimedOut or SocketError.WouldBlock;
        return error == SocketError.Success ? GetPayload(_answer.AsSpan(0, length)) : [];
    }

    /// <summary>The request's number, the run's, then bytes that depend on both the number and their place.</summary>
    private void Fill(Span<byte> payload, int number)
    {
        BinaryPrimitives.WriteUInt32BigEndian(payload, (uint)number);
        BinaryPrimitives.WriteUInt32BigEndian(payload[4..], _run);
        uint value = (uint)number * 2_654_435_761u | 1;
        for (int i = MinPayload; i < payload.Length; i++)
        {
            value = value * 1_664_525u + 1_013_904_223u;
            payload[i] = (byte)(value >> 24);
        }
    }

    private bool IsIntact(ReadOnlySpan<byte> answer, int number, int payload)
    {
        if (answer.Length != payload)
        {
            return false;
        }

        Span<byte> expected = _request.AsSpan(HeaderSize, payload);
        Fill(expected, number);
        return answer.SequenceEqual(expected);
    }
}
