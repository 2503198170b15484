using System.Buffers.Binary;
using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Harness;

/// <summary>A guest with a network card: the driver's side in test code, the device on its own threads, a back end in memory.</summary>
internal sealed class NetGuest : IDisposable
{
    public const ulong Base = VirtioFeatures.Version1;
    public const ulong Mergeable = Base | VirtioNetFeatures.MergeableReceiveBuffers;
    public const ulong Control = Mergeable | VirtioNetFeatures.ControlQueue | VirtioNetFeatures.ControlReceive | VirtioNetFeatures.ControlReceiveExtra
        | VirtioNetFeatures.ControlVlan | VirtioNetFeatures.ControlMacAddress;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    private readonly Dictionary<(int Queue, uint Head), List<DriverBuffer>> _posted = [];
    private readonly INetworkBackend _backend;
    private ulong _next;

    public NetGuest(INetworkBackend? backend = null, VirtioNetConfig? config = null, ulong memory = 16 << 20, ILogger? log = null)
    {
        _backend = backend ?? new MemoryBackend();
        Device = new VirtioNetDevice(config ?? new VirtioNetConfig("net0", Mac), _backend, log ?? NullLogger.Instance);
        Driver = new DriverDevice(Device, memory);
        _next = Driver.FreeMemory.Value;
    }

    public static MacAddress Mac { get; } = new(0x5254_0012_3456);

    /// <summary>The back end, when it is the one in memory.</summary>
    public MemoryBackend Backend => (MemoryBackend)_backend;

    public VirtioNetDevice Device { get; }

    public DriverDevice Driver { get; }

    public QueueMetrics Received => Device.Metrics.Receive[0];

    public QueueMetrics Transmitted => Device.Metrics.Transmit[0];

    /// <summary>The control queue's index under the features of the last <see cref="Start"/>.</summary>
    public int ControlQueue { get; private set; }

    public static NetGuest Started(ulong features = Mergeable, INetworkBackend? backend = null, VirtioNetConfig? config = null)
    {
        NetGuest guest = new(backend, config);
        guest.Start(features);
        return guest;
    }

    public void Start(ulong features, params int[] queues)
    {
        _posted.Clear();
        _next = Driver.FreeMemory.Value;
        ControlQueue = (features & VirtioNetFeatures.MultiQueue) != 0 ? Driver.Queues.Length - 1 : 2;
        Driver.Start(features, queues).Should().BeTrue("the device accepts features 0x{0:x}", features);
    }

    /// <summary>A frame with a plain header: addresses, type, then a pattern that depends on <paramref name="seed"/>.</summary>
    public static byte[] Frame(int length, int seed = 1, MacAddress? to = null, ushort? vlan = null)
    {
        byte[] frame = new byte[12 + length];
        for (int i = 12; i < frame.Length; i++)
        {
            frame[i] = (byte)(seed * 31 + i * 7 + (i >> 8));
        }

        if (length >= 14)
        {
            (to ?? Mac).CopyTo(frame.AsSpan(12));
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), 0x0800);
        }

        if (vlan is { } id)
        {
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(24), 0x8100);
            BinaryPrimitives.WriteUInt16BigEndian(frame.AsSpan(26), id);
        }

        return frame;
    }

    public static void WaitFor(Func<bool> condition, string because)
    {
        long start = Stopwatch.GetTimestamp();
        while (!condition())
        {
            Stopwatch.GetElapsedTime(start).Should().BeLessThan(Patience, because);
            Thread.Sleep(0);
        }
    }

    /// <summary>Waits until a frame that came has been read and waits for buffers of the guest.</summary>
    /// <param name="behind">Frames that came after it.</param>
    public void WaitForWaitingFrame(int behind = 0) => WaitFor(() => Received.Waits > 0 && Backend.Queues[0].Waiting == behind, "a frame waits for buffers");

    public ulong Allocate(uint bytes)
    {
        ulong at = _next;
        _next += (bytes + 15u) & ~15u;
        return at;
    }

    /// <summary>Posts one receive chain of writable buffers of these sizes, without ringing.</summary>
    public uint Post(int queue, params uint[] sizes)
    {
        List<DriverBuffer> buffers = [.. sizes.Select(size => DriverBuffer.Writable(Allocate(size), size))];
        uint head = Driver.Queues[queue].Add([.. buffers]);
        _posted[(queue, head)] = buffers;
        return head;
    }

    /// <summary>The same as an indirect table.</summary>
    public uint PostIndirect(int queue, params uint[] sizes)
    {
        List<DriverBuffer> buffers = [.. sizes.Select(size => DriverBuffer.Writable(Allocate(size), size))];
        uint head = Driver.Queues[queue].AddIndirect(new GuestAddress(Allocate(16u * (uint)sizes.Length)), [.. buffers]);
        _posted[(queue, head)] = buffers;
        return head;
    }

    /// <summary>After a reset of that queue.</summary>
    public void ForgetPosted(int queue)
    {
        foreach ((int Queue, uint Head) key in _posted.Keys.Where(key => key.Queue == queue).ToList())
        {
            _posted.Remove(key);
        }
    }

    /// <summary>Posts many single-buffer chains and rings.</summary>
    public void PostMany(int queue, int count, uint size)
    {
        for (int i = 0; i < count; i++)
        {
            Post(queue, size);
        }

        Driver.Notify(queue);
    }

    /// <summary>Waits for the next used chain of a receive queue and returns what was written into it.</summary>
    public byte[] TakeChain(int queue)
    {
        Driver.WaitForUsed(queue, out uint head, out uint written, (int)Patience.TotalMilliseconds).Should().BeTrue("a chain of queue {0} comes back", queue);
        return ReadChain(queue, head, written);
    }

    /// <summary>A whole received frame, header first, put together as num_buffers says.</summary>
    public byte[] TakeFrame(int queue = 0)
    {
        byte[] frame = TakeChain(queue);
        int count = BinaryPrimitives.ReadUInt16LittleEndian(frame.AsSpan(10));
        for (int i = 1; i < count; i++)
        {
            frame = [.. frame, .. TakeChain(queue)];
        }

        return frame;
    }

    /// <summary>Sends a frame in buffers of these sizes (the last takes the rest) and rings.</summary>
    public uint Send(byte[] frame, int queue = 1, params int[] sizes)
    {
        uint head = Driver.Queues[queue].Add(Layout(frame, sizes));
        Driver.Notify(queue);
        return head;
    }

    /// <summary>The same as an indirect table.</summary>
    public uint SendIndirect(byte[] frame, int queue = 1, params int[] sizes)
    {
        DriverBuffer[] buffers = Layout(frame, sizes);
        uint head = Driver.Queues[queue].AddIndirect(new GuestAddress(Allocate(16u * (uint)buffers.Length)), buffers);
        Driver.Notify(queue);
        return head;
    }

    /// <summary>Waits until the back end has a frame from the device.</summary>
    public byte[] TakeSent(int pair = 0)
    {
        byte[]? frame = null;
        WaitFor(() => Backend.Queues[pair].Sent.TryDequeue(out frame), "the frame reaches the back end");
        return frame!;
    }

    /// <summary>Runs one control command; returns the acknowledgement.</summary>
    public byte Command(byte @class, byte command, params byte[] data)
    {
        byte[] whole = [@class, command, .. data];
        ulong at = Allocate((uint)whole.Length);
        Driver.Memory.Write(new GuestAddress(at), whole);
        ulong acknowledgement = Allocate(1);
        Driver.Memory.Write(new GuestAddress(acknowledgement), [0xee]);
        Driver.Queues[ControlQueue].Add([DriverBuffer.Readable(at, (uint)whole.Length), DriverBuffer.Writable(acknowledgement, 1)]);
        Driver.Notify(ControlQueue);
        Driver.WaitForUsed(ControlQueue, out _, out uint written, (int)Patience.TotalMilliseconds).Should().BeTrue("the command comes back");
        written.Should().Be(1);
        Driver.Memory.TryRead(new GuestAddress(acknowledgement), out byte result).Should().BeTrue();
        return result;
    }

    /// <summary>A frame in each direction arrives: the device works.</summary>
    public void ShouldCarryTraffic(int receive = 0, int pair = 0)
    {
        byte[] there = Frame(200, seed: 77);
        Post(receive, 2048);
        Driver.Notify(receive);
        Backend.Queues[pair].Inject(there);
        TakeFrame(receive)[12..].Should().Equal(there[12..]);

        byte[] back = Frame(300, seed: 78);
        Send(back, receive + 1);
        TakeSent(pair).Should().Equal(back);
        Driver.WaitForUsed(receive + 1, out _, out _).Should().BeTrue();
    }

    public void Dispose()
    {
        Driver.Dispose();
        _backend.Dispose();
    }

    private byte[] ReadChain(int queue, uint head, uint written)
    {
        _posted.Remove((queue, head), out List<DriverBuffer>? buffers).Should().BeTrue("head {0} was posted and is used once", head);
        byte[] result = new byte[written];
        int done = 0;
        foreach (DriverBuffer buffer in buffers!)
        {
            int part = (int)Math.Min(buffer.Length, written - (uint)done);
            Driver.Memory.TryGetSpan(buffer.Address, (uint)part, out Span<byte> span).Should().BeTrue();
            span.CopyTo(result.AsSpan(done));
            done += part;
        }

        done.Should().Be((int)written, "the device says no more than the chain holds");
        return result;
    }

    private DriverBuffer[] Layout(byte[] frame, int[] sizes)
    {
        ulong at = Allocate((uint)frame.Length + 16);
        List<DriverBuffer> buffers = [];
        int done = 0;
        for (int i = 0; done < frame.Length; i++)
        {
            int part = i < sizes.Length ? Math.Min(sizes[i], frame.Length - done) : frame.Length - done;
            Driver.Memory.Write(new GuestAddress(at + (ulong)done), frame.AsSpan(done, part));
            buffers.Add(DriverBuffer.Readable(at + (ulong)done, (uint)part));
            done += part;
        }

        return [.. buffers];
    }
}
