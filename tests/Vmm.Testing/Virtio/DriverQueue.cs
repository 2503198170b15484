using Vmm.Core.Memory;

namespace Vmm.Testing.Virtio;

/// <summary>
/// The driver's side of a split virtqueue, for tests and benchmarks: lays the rings out in guest memory, adds chains and takes used
/// elements. It can also write each field raw, as a hostile driver would. Allocates nothing in Add/TryGetUsed.
/// </summary>
public sealed class DriverQueue
{
    public const ushort Next = 1;
    public const ushort Write = 2;
    public const ushort Indirect = 4;

    private readonly GuestMemory _memory;
    private readonly ushort[] _freeList;
    private readonly ushort[] _chainLength;
    private int _freeCount;
    private ushort _lastUsed;

    /// <param name="size">Entries, a power of two.</param>
    /// <param name="start">Where the rings go; <see cref="ByteSize"/> bytes, 16-byte aligned.</param>
    public DriverQueue(GuestMemory memory, ushort size, GuestAddress start)
    {
        _memory = memory;
        Size = size;
        DescriptorTable = start;
        AvailableRing = start + 16ul * size;
        UsedRing = new GuestAddress((AvailableRing.Value + 6 + 2ul * size + 3) & ~3ul);
        _freeList = new ushort[size];
        _chainLength = new ushort[size];
        Clear();
    }

    public ushort Size { get; }

    public GuestAddress DescriptorTable { get; }

    public GuestAddress AvailableRing { get; }

    public GuestAddress UsedRing { get; }

    /// <summary>How many descriptors are not in use.</summary>
    public int FreeDescriptors => _freeCount;

    /// <summary>The driver's free-running available index.</summary>
    public ushort AvailableIndex { get; private set; }

    /// <summary>The index in the available ring that the device has published in avail_event (with event indexes).</summary>
    public ushort AvailEvent => Get<ushort>(UsedRing + 4 + 8ul * Size);

    public ushort UsedFlags => Get<ushort>(UsedRing);

    public ushort UsedIndex => Get<ushort>(UsedRing + 2);

    /// <summary>Bytes that a queue of this size takes.</summary>
    public static uint ByteSize(ushort size) => (16u * size + 6 + 2u * size + 3 & ~3u) + 6 + 8u * size + 15 & ~15u;

    /// <summary>Zeroes the rings and forgets all chains, as a driver does after a reset.</summary>
    public void Clear()
    {
        _memory.TryGetSpan(DescriptorTable, ByteSize(Size), out Span<byte> all);
        all.Clear();
        AvailableIndex = 0;
        _lastUsed = 0;
        _freeCount = Size;
        for (ushort i = 0; i < Size; i++)
        {
            _freeList[i] = (ushort)(Size - 1 - i);
        }
    }

    /// <summary>Adds a chain of direct descriptors and makes it available. Returns its head.</summary>
    public ushort Add(ReadOnlySpan<DriverBuffer> buffers)
    {
        ushort head = Reserve(buffers.Length);
        ushort index = head;
        for (int i = 0; i < buffers.Length; i++)
        {
            bool isLast = i == buffers.Length - 1;
            ushort next = isLast ? (ushort)0 : Reserve(1);
            WriteDescriptor(index, buffers[i].Address, buffers[i].Length, Flags(buffers[i], isLast), next);
            index = next;
        }

        _chainLength[head] = (ushort)buffers.Length;
        MakeAvailable(head);
        return head;
    }

    /// <summary>Adds a chain as one indirect descriptor whose table is written at <paramref name="table"/>.</summary>
    public ushort AddIndirect(GuestAddress table, ReadOnlySpan<DriverBuffer> buffers)
    {
        for (int i = 0; i < buffers.Length; i++)
        {
            bool isLast = i == buffers.Length - 1;
            WriteDescriptorAt(table + 16ul * (uint)i, buffers[i].Address, buffers[i].Length, Flags(buffers[i], isLast), (ushort)(i + 1));
        }

        ushort head = Reserve(1);
        WriteDescriptor(head, table, 16u * (uint)buffers.Length, Indirect, 0);
        _chainLength[head] = 1;
        MakeAvailable(head);
        return head;
    }

    /// <summary>Puts a head into the available ring and moves the index on.</summary>
    public void MakeAvailable(ushort head)
    {
        Set(AvailableRing + 4 + 2ul * (uint)(AvailableIndex % Size), head);
        AvailableIndex++;
        Thread.MemoryBarrier();
        Set(AvailableRing + 2, AvailableIndex);
    }

    /// <summary>Sets the available index raw.</summary>
    public void SetAvailableIndex(ushort index)
    {
        AvailableIndex = index;
        Set(AvailableRing + 2, index);
    }

    /// <summary>Bit 0: no interrupts, please (without event indexes).</summary>
    public void SetAvailableFlags(ushort flags) => Set(AvailableRing, flags);

    /// <summary>The used index after which the driver wants an interrupt (with event indexes).</summary>
    public void SetUsedEvent(ushort index) => Set(AvailableRing + 4 + 2ul * Size, index);

    /// <summary>Takes the next used element; its descriptors are free again.</summary>
    public bool TryGetUsed(out uint head, out uint written)
    {
        head = written = 0;
        if (UsedIndex == _lastUsed)
        {
            return false;
        }

        Thread.MemoryBarrier();
        GuestAddress element = UsedRing + 4 + 8ul * (uint)(_lastUsed % Size);
        head = Get<uint>(element);
        written = Get<uint>(element + 4);
        _lastUsed++;
        if (head < Size)
        {
            Free((ushort)head);
        }

        return true;
    }

    public void WriteDescriptor(ushort index, GuestAddress address, uint length, ushort flags, ushort next)
        => WriteDescriptorAt(DescriptorTable + 16ul * index, address, length, flags, next);

    public void WriteDescriptorAt(GuestAddress at, GuestAddress address, uint length, ushort flags, ushort next)
    {
        Set(at, address.Value);
        Set(at + 8, length);
        Set(at + 12, flags);
        Set(at + 14, next);
    }

    private static ushort Flags(in DriverBuffer buffer, bool isLast) => (ushort)((buffer.IsWritable ? Write : 0) | (isLast ? 0 : Next));

    private ushort Reserve(int needed)
    {
        if (_freeCount < needed)
        {
            throw new InvalidOperationException($"The driver's queue of {Size} has {_freeCount} free descriptors, not {needed}.");
        }

        return _freeList[--_freeCount];
    }

    private void Free(ushort head)
    {
        ushort index = head;
        for (int i = 0; i < _chainLength[head]; i++)
        {
            _freeList[_freeCount++] = index;
            index = Get<ushort>(DescriptorTable + 16ul * index + 14);
        }

        _chainLength[head] = 0;
    }

    private T Get<T>(GuestAddress address) where T : unmanaged
        => _memory.TryRead(address, out T value) ? value : throw new InvalidOperationException($"{address} is outside of RAM");

    private void Set<T>(GuestAddress address, T value) where T : unmanaged
    {
        if (!_memory.TryWrite(address, value))
        {
            throw new InvalidOperationException($"{address} is outside of RAM");
        }
    }
}
