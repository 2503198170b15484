using Vmm.Core.Memory;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>Raw access to one queue's rings, in the direction that this queue's buffers should have.</summary>
internal sealed class RingAttack(HostileGuest hostile, int index)
{
    private const ushort Next = DriverQueue.Next;
    private const ushort Indirect = DriverQueue.Indirect;

    private readonly ushort _direction = index == 0 ? DriverQueue.Write : (ushort)0;

    public DriverQueue Queue { get; } = hostile.Driver.Queues[index];

    public ulong RamEnd => hostile.MemorySize;

    public ulong Buffer => hostile.Buffers;

    public ulong Table => hostile.Buffers + 0x8000;

    /// <summary>One descriptor, made available.</summary>
    public void One(ulong address, uint length, ushort flags = 0, ushort next = 0)
    {
        Descriptor(0, address, length, flags, next);
        Offer(0);
    }

    public void Descriptor(int at, ulong address, uint length, ushort flags = 0, ushort next = 0)
        => Queue.WriteDescriptor((ushort)at, new GuestAddress(address), length, (ushort)(flags | _direction), next);

    /// <summary>A descriptor with exactly these flags.</summary>
    public void RawDescriptor(int at, ulong address, uint length, ushort flags, ushort next = 0)
        => Queue.WriteDescriptor((ushort)at, new GuestAddress(address), length, flags, next);

    public void TableEntry(int at, ulong address, uint length, ushort flags = 0, ushort next = 0)
        => Queue.WriteDescriptorAt(new GuestAddress(Table + 16ul * (uint)at), new GuestAddress(address), length, (ushort)(flags | _direction), next);

    public void RawTableEntry(int at, ulong address, uint length, ushort flags, ushort next = 0)
        => Queue.WriteDescriptorAt(new GuestAddress(Table + 16ul * (uint)at), new GuestAddress(address), length, flags, next);

    /// <summary>One indirect descriptor for a table of so many bytes, made available.</summary>
    public void OneIndirect(ulong table, uint bytes, ushort flags = 0)
    {
        RawDescriptor(0, table, bytes, (ushort)(Indirect | flags));
        Offer(0);
    }

    public void Offer(ushort head) => Queue.MakeAvailable(head);

    public void Loop(int length)
    {
        for (int i = 0; i < length; i++)
        {
            Descriptor(i, Buffer, 64, Next, (ushort)((i + 1) % length));
        }

        Offer(0);
    }
}
