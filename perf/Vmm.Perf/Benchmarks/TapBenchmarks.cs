using BenchmarkDotNet.Attributes;
using Tmds.Linux;
using Vmm.Backends.Tap;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Perf.Budgets;

namespace Vmm.Perf.Benchmarks;

/// <summary>
/// A frame into the host and one out of it, through the back end and by the bare system call, which is the physical bound. Receiving includes
/// the sender's write to a packet socket in both rows.
/// </summary>
[Requires("/dev/net/tun")]
public unsafe class TapBenchmarks
{
    private const int Frames = 64;

    private readonly ScatterList _list = new();
    private TapFixture _fixture = null!;
    private PacketSender _sender = null!;
    private HostBuffer _buffer = null!;
    private INetworkQueue _queue = null!;
    private byte[] _bareBuffer = null!;
    private int _bareDescriptor;

    /// <summary>Bytes without the virtio_net_hdr; the largest is a TCP segment of that size, to be cut by the other side.</summary>
    [Params(60, 1514, 9000, 65_535)]
    public int FrameSize { get; set; }

    [GlobalSetup(Targets = [nameof(Transmit), nameof(TransmitBare)])]
    public void SetUpTransmit() => SetUp(TapFixture.HeaderSize + FrameSize);

    [GlobalSetup(Targets = [nameof(Receive), nameof(ReceiveBare)])]
    public void SetUpReceive() => SetUp(128 << 10);

    [GlobalCleanup]
    public void CleanUp()
    {
        _sender.Dispose();
        _fixture.Dispose();
        _buffer.Dispose();
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void TransmitBare()
    {
        iovec vector = BareVector(TapFixture.HeaderSize + FrameSize);
        for (int i = 0; i < Frames; i++)
        {
            Check((int)Libc.writev(_bareDescriptor, &vector, 1));
        }
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void Transmit()
    {
        for (int i = 0; i < Frames; i++)
        {
            Check(_queue.Transmit(_list));
        }
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void ReceiveBare()
    {
        iovec vector = BareVector(_bareBuffer.Length);
        for (int i = 0; i < Frames; i++)
        {
            _sender.Send();
            Check((int)Libc.readv(_bareDescriptor, &vector, 1));
        }
    }

    [Benchmark(OperationsPerInvoke = Frames)]
    public void Receive()
    {
        for (int i = 0; i < Frames; i++)
        {
            _sender.Send();
            Check(_queue.Receive(_list));
        }
    }

    private void SetUp(int bufferSize)
    {
        byte[] frame = TapFixture.Frame(FrameSize);
        _fixture = new TapFixture();
        _fixture.Tap.SetOffloads(NetworkOffloads.Checksum | NetworkOffloads.Tso4);
        _sender = _fixture.Run(() => new PacketSender(NetworkLink.Find(TapFixture.Name)!.Index, frame));
        _queue = _fixture.Tap.GetQueue(0);
        _bareDescriptor = _fixture.Tap.Descriptors[0].Number;
        _bareBuffer = GC.AllocateArray<byte>(bufferSize, pinned: true);
        _buffer = new HostBuffer(bufferSize);
        frame.CopyTo(_bareBuffer, 0);
        frame.CopyTo(_buffer.Span);
        _list.Clear();
        _list.TryAdd(_buffer, bufferSize);
        Drain();
    }

    /// <summary>What the host itself said when the interface came up.</summary>
    private void Drain()
    {
        using HostBuffer buffer = new(128 << 10);
        using ScatterList list = new(1);
        list.TryAdd(buffer, buffer.Length);
        Thread.Sleep(20);
        while (_queue.Receive(list) > 0)
        {
        }
    }

    private iovec BareVector(int length)
    {
        // SAFETY: the array is pinned for its life.
        fixed (byte* start = _bareBuffer)
        {
            return new iovec { iov_base = start, iov_len = length };
        }
    }

    private void Check(int result)
    {
        // A frame of the host's own (a router solicitation) may come in between; it is shorter or longer, and no error.
        if (result <= 0)
        {
            throw new InvalidOperationException($"The TAP answered {result} for a frame of {FrameSize} bytes.");
        }
    }
}
