using Vmm.Core.Memory;

namespace Vmm.Testing.Virtio;

/// <summary>One buffer of a chain, as the driver describes it.</summary>
public readonly record struct DriverBuffer(GuestAddress Address, uint Length, bool IsWritable)
{
    public static DriverBuffer Readable(ulong address, uint length) => new(new GuestAddress(address), length, false);

    public static DriverBuffer Writable(ulong address, uint length) => new(new GuestAddress(address), length, true);
}
