using System.Buffers.Binary;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Harness;

/// <summary>Numbered frames in both directions, sent and checked by two threads while the test does something else to the device.</summary>
internal sealed class Traffic : IDisposable
{
    private const int Length = 200;

    private readonly NetGuest _guest;
    private readonly int _frames;
    private readonly uint _receiveBuffer;
    private readonly Thread _driver;
    private readonly Thread _peer;
    private volatile bool _stopping;
    private volatile string? _failure;
    private volatile int _received;
    private volatile int _sent;

    public Traffic(NetGuest guest, int frames, uint receiveBuffer)
    {
        _guest = guest;
        _frames = frames;
        _receiveBuffer = receiveBuffer;
        _driver = new Thread(Drive);
        _peer = new Thread(Serve);
        _driver.Start();
        _peer.Start();
    }

    public bool IsDone => _failure is not null || (_received == _frames && _sent == _frames);

    public void ShouldBeWhole()
    {
        _failure.Should().BeNull();
        _received.Should().Be(_frames);
        _sent.Should().Be(_frames);
    }

    public void Dispose()
    {
        _stopping = true;
        _driver.Join();
        _peer.Join();
    }

    private static byte[] Numbered(int number)
    {
        byte[] frame = NetGuest.Frame(Length, number);
        BinaryPrimitives.WriteInt32LittleEndian(frame.AsSpan(40), number);
        return frame;
    }

    /// <summary>The guest: posts buffers, takes received frames in order, sends its own.</summary>
    private void Drive()
    {
        byte[] first = Numbered(0);
        List<byte> parts = [];
        DriverQueue transmit = _guest.Driver.Queues[1];
        ulong[] slots = [.. Enumerable.Range(0, transmit.Size).Select(_ => _guest.Allocate((uint)first.Length))];
        ulong[] buffers = [.. Enumerable.Range(0, transmit.Size).Select(_ => _guest.Allocate(_receiveBuffer))];
        ulong[] byHead = new ulong[transmit.Size];
        Stack<ulong> free = new(buffers);
        int queued = 0;
        int left = 0;
        while (!_stopping && _failure is null)
        {
            bool isIdle = true;
            while (free.TryPop(out ulong buffer))
            {
                ushort head = _guest.Driver.Queues[0].Add([DriverBuffer.Writable(buffer, _receiveBuffer)]);
                byHead[head] = buffer;
                isIdle = false;
            }

            while (queued < _frames && transmit.FreeDescriptors > 0)
            {
                ulong slot = slots[queued % slots.Length];
                _guest.Driver.Memory.Write(new(slot), Numbered(queued));
                transmit.Add([DriverBuffer.Readable(slot, (uint)first.Length)]);
                queued++;
                isIdle = false;
            }

            if (!isIdle)
            {
                _guest.Driver.Notify(0);
                _guest.Driver.Notify(1);
            }

            while (transmit.TryGetUsed(out _, out _))
            {
            }

            while (_guest.Driver.Queues[0].TryGetUsed(out uint head, out uint written))
            {
                _guest.Driver.Memory.TryGetSpan(new(byHead[head]), written, out Span<byte> bytes);
                left = left == 0 ? BinaryPrimitives.ReadUInt16LittleEndian(bytes[10..]) : left;
                parts.AddRange(bytes);
                free.Push(byHead[head]);
                if (--left == 0)
                {
                    Check("received", [.. parts], _received);
                    parts.Clear();
                    _received++;
                }
            }
        }
    }

    /// <summary>The network: puts frames in, takes sent frames out in order.</summary>
    private void Serve()
    {
        MemoryQueue queue = _guest.Backend.Queues[0];
        int injected = 0;
        while (!_stopping && _failure is null)
        {
            while (injected < _frames && injected - _received < 500)
            {
                queue.Inject(Numbered(injected++));
            }

            while (queue.Sent.TryDequeue(out byte[]? frame))
            {
                Check("sent", frame, _sent);
                _sent++;
            }

            Thread.Sleep(0);
        }
    }

    private void Check(string direction, byte[] frame, int expected)
    {
        if (!frame.AsSpan(12).SequenceEqual(Numbered(expected).AsSpan(12)))
        {
            int number = frame.Length < 44 ? -1 : BinaryPrimitives.ReadInt32LittleEndian(frame.AsSpan(40));
            _failure = $"{direction}: frame {expected} was expected, and {frame.Length} bytes with number {number} came";
        }
    }
}
