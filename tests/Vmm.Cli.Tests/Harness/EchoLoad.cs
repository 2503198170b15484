using System.Buffers.Binary;
using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests.Harness;

/// <summary>UDP echoes, at most a thousand a second and sixteen in flight, until it is told to stop.</summary>
internal sealed class EchoLoad : IDisposable
{
    private const int Most = 500_000;
    private const int Window = 16;
    private const int Size = 64;

    private readonly Socket _socket;
    private readonly Task _task;
    private readonly bool[] _seen = new bool[Most];
    private volatile bool _stopping;
    private volatile int _answered;
    private int _sent;
    private int _duplicated;
    private int _corrupted;

    /// <param name="guest">On whose wire.</param>
    public EchoLoad(GuestOnTap guest)
    {
        _socket = guest.Network.OpenUdp();
        _socket.Connect(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort));
        _task = Task.Factory.StartNew(Run, TaskCreationOptions.LongRunning);
        Wait.Until(() => _answered > 0 || _task.IsCompleted, () => "the first echo");
    }

    public int Answered => _answered;

    /// <summary>Waits until all that was sent is answered, or has had much time to be.</summary>
    public (int Lost, int Duplicated, int Corrupted) Stop()
    {
        _stopping = true;
        _task.GetAwaiter().GetResult();
        return (_sent - _answered, _duplicated, _corrupted);
    }

    /// <summary>Waits for nothing.</summary>
    public void Dispose()
    {
        _socket.Dispose();
        _task.ContinueWith(_ => { }, TaskScheduler.Default).Wait();
    }

    private void Run()
    {
        byte[] buffer = new byte[2 * Size];
        long end = long.MaxValue;
        while (_sent > _answered || !_stopping)
        {
            if (_stopping)
            {
                end = Math.Min(end, Stopwatch.GetTimestamp() + (5 * Stopwatch.Frequency));
                if (Stopwatch.GetTimestamp() > end)
                {
                    return;
                }
            }
            else if (_sent - _answered < Window && _sent < Most)
            {
                Fill(buffer, _sent);
                _socket.Send(buffer.AsSpan(0, Size));
                _sent++;
                Thread.Sleep(1);
            }

            if (_socket.Poll(TimeSpan.FromMilliseconds(1), SelectMode.SelectRead))
            {
                Check(buffer.AsSpan(0, _socket.Receive(buffer)));
            }
        }
    }

    private void Check(ReadOnlySpan<byte> answer)
    {
        int number = answer.Length == Size ? BinaryPrimitives.ReadInt32BigEndian(answer) : -1;
        Span<byte> wanted = stackalloc byte[Size];
        Fill(wanted, number);
        if (number < 0 || number >= _sent || !answer.SequenceEqual(wanted))
        {
            _corrupted++;
        }
        else if (_seen[number])
        {
            _duplicated++;
        }
        else
        {
            _seen[number] = true;
            _answered++;
        }
    }

    private static void Fill(Span<byte> packet, int number)
    {
        for (int i = 0; i < Size; i++)
        {
            packet[i] = (byte)(number * (i + 3));
        }

        BinaryPrimitives.WriteInt32BigEndian(packet, number);
    }
}
