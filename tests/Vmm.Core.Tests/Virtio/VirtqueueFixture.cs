using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

/// <summary>One queue with both of its sides, in 1 MiB of guest RAM.</summary>
internal sealed class VirtqueueFixture : IDisposable
{
    public const ulong Rings = 0x1000;
    public const ulong Buffers = 0x8_0000;

    public VirtqueueFixture(ushort size = 8, ulong features = VirtioFeatures.Transport)
    {
        Memory = GuestMemory.Create(new GuestMemoryOptions(1 << 20));
        Driver = new DriverQueue(Memory, size, new GuestAddress(Rings));
        Queue = new Virtqueue(Memory, size);
        Queue.State.DescriptorTable = Driver.DescriptorTable;
        Queue.State.AvailableRing = Driver.AvailableRing;
        Queue.State.UsedRing = Driver.UsedRing;
        Queue.Open(features).Should().BeNull();
    }

    public GuestMemory Memory { get; }

    public DriverQueue Driver { get; }

    public Virtqueue Queue { get; }

    public ScatterList Readable { get; } = new();

    public ScatterList Writable { get; } = new();

    public PopResult Pop(out DescriptorChain chain)
    {
        Readable.Clear();
        Writable.Clear();
        return Queue.TryPop(Readable, Writable, out chain);
    }

    public void Dispose()
    {
        Readable.Dispose();
        Writable.Dispose();
        Memory.Dispose();
    }
}
