using System.Runtime.InteropServices;
using Vmm.Core.Memory;

namespace Vmm.Core.Virtio;

// Taking chains from the available ring.
public sealed partial class Virtqueue
{
    private const ushort DescriptorNext = 1;
    private const ushort DescriptorWrite = 2;
    private const ushort DescriptorIndirect = 4;
    private const uint DescriptorSize = 16;
    private const uint IndexOffset = 2;
    private const uint RingOffset = 4;

    /// <summary>struct virtq_desc, virtio 1.2 section 2.7.5.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private readonly struct Descriptor
    {
        public readonly ulong Address;
        public readonly uint Length;
        public readonly ushort Flags;
        public readonly ushort Next;
    }

    /// <summary>How many chains the driver has made available and the device has not taken. More than the size is a fault at the next pop.</summary>
    public ushort AvailableCount => (ushort)(_available.ReadAcquire(IndexOffset) - _state.NextAvailable);

    /// <summary>Takes the next chain and appends its buffers to the two lists.</summary>
    public PopResult TryPop(ScatterList readable, ScatterList writable, out DescriptorChain chain)
    {
        chain = default;
        if (!IsUsable)
        {
            return Fault is null ? PopResult.Empty : PopResult.Faulty;
        }

        // ORDER: the index with acquire semantics, so that the ring entry and the descriptors behind it are seen complete.
        ushort available = AvailableCount;
        if (available == 0)
        {
            return PopResult.Empty;
        }

        if (available > _state.Size)
        {
            return Break($"available index is {available} ahead of the device in a queue of {_state.Size}");
        }

        ushort head = _available.Read<ushort>(RingOffset + 2u * (uint)(_state.NextAvailable & _mask));
        int readableBefore = readable.Count;
        int writableBefore = writable.Count;
        PopResult result = Walk(head, readable, writable, out chain);
        if (result == PopResult.Taken)
        {
            _state.NextAvailable++;
        }
        else
        {
            readable.Truncate(readableBefore);
            writable.Truncate(writableBefore);
        }

        return result;
    }

    /// <summary>Puts the last <paramref name="count"/> taken, unused chains back, so that they are taken again in the same order.</summary>
    public void Return(int count) => _state.NextAvailable -= (ushort)count;

    /// <summary>Asks the driver not to ring the doorbell. A hint: rings may still come.</summary>
    public void DisableDoorbell()
    {
        // SPEC: 2.7.10: with event indexes the device says so by leaving avail_event behind.
        if (IsUsable && !_eventIndex)
        {
            _used.Write<ushort>(0, 1);
        }
    }

    /// <summary>Asks the driver to ring for the next chain. Returns true when one has come in the meantime: then take it instead of waiting.</summary>
    public bool EnableDoorbell()
    {
        if (!IsUsable)
        {
            return false;
        }

        if (_eventIndex)
        {
            _used.WriteRelease(RingOffset + 8u * _state.Size, _state.NextAvailable);
        }
        else
        {
            _used.Write<ushort>(0, 0);
        }

        // ORDER: the request must be visible before the index is looked at again, or a chain added in between is never announced.
        Interlocked.MemoryBarrier();
        return AvailableCount != 0;
    }

    private PopResult Walk(ushort head, ScatterList readable, ScatterList writable, out DescriptorChain chain)
    {
        chain = default;
        GuestWindow table = _descriptors;
        uint tableSize = _state.Size;
        bool isIndirect = false;
        uint index = head;
        uint steps = 0;
        ushort readableCount = 0;
        ushort writableCount = 0;
        ulong readableBytes = 0;
        ulong writableBytes = 0;
        while (true)
        {
            if (index >= tableSize)
            {
                return Break($"descriptor index {index} is outside of a table of {tableSize}");
            }

            if (steps++ >= tableSize)
            {
                return Break($"descriptor chain from {head} is longer than its table of {tableSize}: a loop");
            }

            Descriptor descriptor = table.Read<Descriptor>(index * DescriptorSize);
            if (descriptor.Length == 0)
            {
                return Break($"descriptor {index} has length 0");
            }

            if ((descriptor.Flags & DescriptorIndirect) != 0)
            {
                if (OpenIndirect(descriptor, isIndirect, out table) is { } reason)
                {
                    return Break(reason);
                }

                // SPEC: 2.7.5.3.2: the indirect table ends the chain; direct descriptors may stand before it.
                isIndirect = true;
                tableSize = descriptor.Length / DescriptorSize;
                index = 0;
                steps = 0;
                continue;
            }

            bool isWritable = (descriptor.Flags & DescriptorWrite) != 0;
            ScatterList list = isWritable ? writable : readable;
            if (!isWritable && writableCount != 0)
            {
                return Break($"device-readable descriptor {index} follows a device-writable one");
            }

            if (!list.TryAdd(_memory, new GuestAddress(descriptor.Address), descriptor.Length))
            {
                return ExplainRefusal(descriptor, list, readableCount + writableCount);
            }

            if (isWritable)
            {
                writableCount++;
                writableBytes += descriptor.Length;
            }
            else
            {
                readableCount++;
                readableBytes += descriptor.Length;
            }

            if ((descriptor.Flags & DescriptorNext) == 0)
            {
                break;
            }

            index = descriptor.Next;
        }

        // SPEC: 2.7.5: the total length of a chain is at most 2^32 bytes.
        if (readableBytes + writableBytes > uint.MaxValue)
        {
            return Break($"descriptor chain from {head} has {readableBytes + writableBytes} bytes, more than 4 GiB");
        }

        chain = new DescriptorChain(head, readableCount, writableCount, (uint)readableBytes, (uint)writableBytes);
        return PopResult.Taken;
    }

    private string? OpenIndirect(in Descriptor descriptor, bool isNested, out GuestWindow table)
    {
        table = default;
        if (!_indirectDescriptors)
        {
            return "indirect descriptor without VIRTIO_F_INDIRECT_DESC";
        }

        if (isNested)
        {
            return "indirect descriptor inside an indirect table";
        }

        if ((descriptor.Flags & DescriptorNext) != 0)
        {
            return "indirect descriptor with the NEXT flag";
        }

        if (descriptor.Length % DescriptorSize != 0 || descriptor.Length / DescriptorSize > MaxSupportedSize)
        {
            return $"indirect table of {descriptor.Length} bytes is not 1 to {MaxSupportedSize} descriptors";
        }

        return _memory.TryGetWindow(new GuestAddress(descriptor.Address), descriptor.Length, out table)
            ? null
            : $"indirect table at 0x{descriptor.Address:x} with {descriptor.Length} bytes is outside of RAM";
    }

    private PopResult ExplainRefusal(in Descriptor descriptor, ScatterList list, int chainCount)
    {
        if (!_memory.Contains(new GuestAddress(descriptor.Address), descriptor.Length))
        {
            return Break($"buffer at 0x{descriptor.Address:x} with {descriptor.Length} bytes is outside of RAM");
        }

        // The list may be full of earlier chains; a chain that does not even fit an empty list never will.
        return list.Count - chainCount > 0 ? PopResult.ListFull : Break($"descriptor chain has more than {list.Capacity} buffers");
    }
}
