using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Harness;

/// <summary>Runs rings in the back end's place, one chain whenever the test says so; it knows of guest memory what the device tells it, as the kernel does.</summary>
internal sealed class MemoryProcessor : IRingProcessor, IDisposable
{
    private readonly RingSignals?[] _signals = new RingSignals?[2];
    private readonly Virtqueue?[] _rings = new Virtqueue?[2];
    private readonly ScatterList _readable = new();
    private readonly ScatterList _writable = new();

    /// <summary>Before anything is started.</summary>
    public GuestMemory? Memory { get; set; }

    /// <summary>Makes Start throw.</summary>
    public bool Refuses { get; set; }

    /// <summary>Whether Stop tells the position.</summary>
    public bool TellsPosition { get; set; } = true;

    /// <summary>How often each ring was started.</summary>
    public int[] Starts { get; } = new int[2];

    public ulong Features { get; private set; }

    public bool Runs(RingDirection direction) => _rings[(int)direction] is not null;

    public RingSignals Signals(RingDirection direction) => _signals[(int)direction]!;

    public void Attach(RingDirection direction, RingSignals signals) => _signals[(int)direction] = signals;

    public void Start(RingDirection direction, in VirtqueueState ring, ulong features)
    {
        if (Refuses)
        {
            throw new LinuxException("ioctl(VHOST_SET_OWNER)", "the test", 12);
        }

        Runs(direction).Should().BeFalse("a ring is started once");
        Virtqueue queue = new(Memory!, ring.Size);
        queue.Restore(in ring, features).Should().BeNull();
        Features = features;
        Signals(direction).Doorbell.TryDrain();
        _rings[(int)direction] = queue;
        Starts[(int)direction]++;
    }

    public ushort? Stop(RingDirection direction)
    {
        Virtqueue? ring = _rings[(int)direction];
        _rings[(int)direction] = null;
        ring.Should().NotBeNull("only a ring that runs is stopped");
        return TellsPosition ? ring!.State.NextAvailable : null;
    }

    /// <summary>Takes one frame from the driver.</summary>
    public byte[] Take()
    {
        DescriptorChain chain = Pop(RingDirection.Transmit);
        byte[] frame = new byte[_readable.TotalBytes];
        _readable.CopyTo(0, frame);
        Use(RingDirection.Transmit, chain.Head, 0);
        return frame;
    }

    /// <summary>Gives the driver one frame.</summary>
    public void Give(byte[] frame)
    {
        DescriptorChain chain = Pop(RingDirection.Receive);
        frame = [.. frame];
        frame[10] = 1;
        _writable.CopyFrom(0, frame);
        Use(RingDirection.Receive, chain.Head, (uint)frame.Length);
    }

    public void Dispose()
    {
        _readable.Dispose();
        _writable.Dispose();
    }

    private DescriptorChain Pop(RingDirection direction)
    {
        _readable.Clear();
        _writable.Clear();
        _rings[(int)direction]!.TryPop(_readable, _writable, out DescriptorChain chain).Should().Be(PopResult.Taken);
        return chain;
    }

    private void Use(RingDirection direction, ushort head, uint written)
    {
        Virtqueue ring = _rings[(int)direction]!;
        ring.Push(head, written);
        ring.Publish();
        if (ring.NeedsInterrupt())
        {
            Signals(direction).Call.Signal();
        }
    }
}
