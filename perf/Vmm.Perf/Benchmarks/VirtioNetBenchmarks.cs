using BenchmarkDotNet.Attributes;
using Microsoft.Extensions.Logging.Abstractions;
using Vmm.Backends.Tap;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Perf.Budgets;
using Vmm.Testing.Virtio;

namespace Vmm.Perf.Benchmarks;

/// <summary>
/// The network device on a real TAP, 64 frames in flight, driven by the mock driver: its I/O thread runs beside the driver's. The driver's
/// own work, about 100 ns a frame, is in it; for receiving, the sender's write to a packet socket too.
/// </summary>
[Requires("/dev/net/tun")]
public class VirtioNetBenchmarks
{
    private const int Frames = 64;
    private const int ReceiveQueue = 0;
    private const int TransmitQueue = 1;
    private const uint ReceiveBuffer = 2048;
    private const ulong Features = VirtioFeatures.Version1 | VirtioFeatures.RingEventIndex | VirtioNetFeatures.MergeableReceiveBuffers
        | VirtioNetFeatures.Checksum | VirtioNetFeatures.HostTso4 | VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestTso4;

    private TapFixture _fixture = null!;
    private PacketSender _sender = null!;
    private VirtioNetDevice _device = null!;
    private DriverDevice _driver = null!;
    private int _buffersPerFrame;

    /// <inheritdoc cref="TapBenchmarks.FrameSize"/>
    [Params(60, 1514, 9000, 65_535)]
    public int FrameSize { get; set; }

    [GlobalSetup]
    public void SetUp()
    {
        byte[] frame = TapFixture.Frame(FrameSize);
        _fixture = new TapFixture();
        _sender = _fixture.Run(() => new PacketSender(NetworkLink.Find(TapFixture.Name)!.Index, frame));
        _device = new VirtioNetDevice(new VirtioNetConfig("net0", new MacAddress(0x5254_0000_0001)) { QueueSize = 1024 }, _fixture.Tap, NullLogger.Instance);
        _driver = new DriverDevice(_device, 32 << 20);
        if (!_driver.Start(Features))
        {
            throw new InvalidOperationException("The device refused the features.");
        }

        _driver.Memory.Write(_driver.FreeMemory, frame);
        _buffersPerFrame = (TapFixture.HeaderSize + FrameSize + (int)ReceiveBuffer - 1) / (int)ReceiveBuffer;
        for (uint i = 0; i < 1024; i++)
        {
            Post(i);
        }

        _driver.Notify(ReceiveQueue);

        // What the host itself says when the interface comes up.
        Thread.Sleep(50);
        while (_driver.Queues[ReceiveQueue].TryGetUsed(out uint head, out _))
        {
            Post(head);
        }
    }

    [GlobalCleanup]
    public void CleanUp()
    {
        _driver.Dispose();
        _sender.Dispose();
        _fixture.Dispose();
    }

    /// <summary>Header and data in two buffers.</summary>
    [Benchmark(OperationsPerInvoke = Frames)]
    public void Transmit()
    {
        DriverQueue queue = _driver.Queues[TransmitQueue];
        ulong start = _driver.FreeMemory.Value;
        ReadOnlySpan<DriverBuffer> buffers =
        [
            DriverBuffer.Readable(start, TapFixture.HeaderSize),
            DriverBuffer.Readable(start + TapFixture.HeaderSize, (uint)FrameSize),
        ];
        for (int i = 0; i < Frames; i++)
        {
            queue.Add(buffers);
        }

        _driver.Notify(TransmitQueue);
        for (int done = 0; done < Frames;)
        {
            done += Wait(queue, out _);
        }
    }

    /// <summary>Into buffers of 2 KiB, merged for larger frames; each is given back at once, with a doorbell when the device has asked for it.</summary>
    [Benchmark(OperationsPerInvoke = Frames)]
    public void Receive()
    {
        DriverQueue queue = _driver.Queues[ReceiveQueue];
        int inFlight = 0;
        for (int i = 0; i < Frames; i++)
        {
            _sender.Send();
            inFlight += _buffersPerFrame;

            // As many as the ring can hold at once.
            while (inFlight > 512 || (i == Frames - 1 && inFlight > 0))
            {
                inFlight -= Wait(queue, out uint head);
                Post(head);
                if (queue.AvailEvent == (ushort)(queue.AvailableIndex - 1))
                {
                    _driver.Notify(ReceiveQueue);
                }
            }
        }
    }

    private static int Wait(DriverQueue queue, out uint head)
    {
        SpinWait spin = default;
        while (!queue.TryGetUsed(out head, out _))
        {
            spin.SpinOnce(sleep1Threshold: -1);
        }

        return 1;
    }

    private void Post(uint slot)
    {
        ulong buffers = _driver.FreeMemory.Value + (128 << 10);
        _driver.Queues[ReceiveQueue].Add([DriverBuffer.Writable(buffers + (ulong)slot * ReceiveBuffer, ReceiveBuffer)]);
    }
}
