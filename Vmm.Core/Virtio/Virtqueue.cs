using System.Numerics;
using Vmm.Core.Memory;

namespace Vmm.Core.Virtio;

/// <summary>
/// The device's side of a split virtqueue (virtio 1.2 section 2.7).
/// </summary>
/// <remarks>
/// Protocol: the transport configures and opens it while no I/O thread uses it; then one thread at a time pops and pushes. The driver
/// writes the descriptor table and the available ring at any moment, maliciously if it likes: every value is read once and checked, every
/// address is translated under bounds. A broken ring sets <see cref="Fault"/> and stays broken until reset. Nothing here allocates, but for
/// the text of a fault.
/// </remarks>
public sealed partial class Virtqueue
{
    /// <summary>The largest queue, and the longest chain, that is taken. As many ranges as one readv takes.</summary>
    public const ushort MaxSupportedSize = ScatterList.MaxCount;

    private readonly GuestMemory _memory;

    private GuestWindow _descriptors;
    private GuestWindow _available;
    private GuestWindow _used;
    private bool _indirectDescriptors;
    private bool _eventIndex;
    private ushort _mask;

    private VirtqueueState _state;

    public Virtqueue(GuestMemory memory, ushort maxSize)
    {
        if (!BitOperations.IsPow2((uint)maxSize) || maxSize > MaxSupportedSize)
        {
            throw new ArgumentOutOfRangeException(nameof(maxSize), maxSize, $"A split queue's size is a power of two up to {MaxSupportedSize}.");
        }

        _memory = memory;
        MaxSize = maxSize;
        Reset();
    }

    public ushort MaxSize { get; }

    /// <summary>The registers and indexes. The transport writes the addresses and the size while the queue is not ready.</summary>
    public ref VirtqueueState State => ref _state;

    /// <summary>How the driver broke the ring, or null.</summary>
    public string? Fault { get; private set; }

    /// <summary>Open, and not broken.</summary>
    public bool IsUsable => _state.Ready && Fault is null;

    /// <summary>Opens the rings at the addresses in <see cref="State"/>. Null, or the reason why they can't be used.</summary>
    public string? Open(ulong features)
    {
        if (Map(in _state) is { } reason)
        {
            return reason;
        }

        UseFeatures(features);
        Fault = null;
        _state.Broken = false;
        _state.Ready = true;
        return null;
    }

    /// <summary>Goes on where another device has stopped. Null, or the reason why this queue can't; then nothing has changed.</summary>
    public string? Restore(in VirtqueueState state, ulong features)
    {
        if (state.Ready && Map(in state) is { } reason)
        {
            return reason;
        }

        _state = state;
        UseFeatures(features);
        Fault = state.Broken ? "broken before it came here" : null;
        return null;
    }

    private string? Map(in VirtqueueState s)
    {
        if (s.Size == 0 || !BitOperations.IsPow2((uint)s.Size) || s.Size > MaxSize)
        {
            return $"size {s.Size} is not a power of two up to {MaxSize}";
        }

        // SPEC: virtio 1.2 section 2.7: alignments 16, 2 and 4; sizes include the event fields. The 16 is not insisted on: QEMU never
        // did, drivers got away without it, and nothing here depends on it.
        if (!TryOpen(s.DescriptorTable, 16u * s.Size, 1, out GuestWindow descriptors))
        {
            return $"descriptor table at {s.DescriptorTable} is not RAM of {16 * s.Size} bytes";
        }

        if (!TryOpen(s.AvailableRing, 6u + 2u * s.Size, 2, out GuestWindow available))
        {
            return $"available ring at {s.AvailableRing} is not 2-byte aligned RAM of {6 + 2 * s.Size} bytes";
        }

        if (!TryOpen(s.UsedRing, 6u + 8u * s.Size, 4, out GuestWindow used))
        {
            return $"used ring at {s.UsedRing} is not 4-byte aligned RAM of {6 + 8 * s.Size} bytes";
        }

        (_descriptors, _available, _used) = (descriptors, available, used);
        _mask = (ushort)(s.Size - 1);
        return null;
    }

    /// <summary>Takes the ring's feature bits; they are final when the driver sets DRIVER_OK, which may be after the queue became ready.</summary>
    public void UseFeatures(ulong features)
    {
        _indirectDescriptors = (features & VirtioFeatures.RingIndirectDescriptors) != 0;
        _eventIndex = (features & VirtioFeatures.RingEventIndex) != 0;
    }

    /// <summary>Goes on where somebody else, who ran the ring, has stopped. All that was taken is used; the used index stands in the ring.</summary>
    /// <param name="nextAvailable">The next chain to take; null for as many as were used.</param>
    public void TakeBack(ushort? nextAvailable)
    {
        _state.NextUsed = _used.ReadAcquire(IndexOffset);
        _state.NextAvailable = nextAvailable ?? _state.NextUsed;

        // Nobody here knows what the driver was told last: the next decision is for an interrupt.
        _state.SignalledUsedValid = false;
    }

    /// <summary>Somebody else, who ran the ring, found it broken.</summary>
    public void MarkBroken(string reason) => Break(reason);

    /// <summary>Back to the state after a device or queue reset.</summary>
    public void Reset()
    {
        _state = new VirtqueueState { Size = MaxSize };
        _descriptors = _available = _used = default;
        Fault = null;
    }

    private bool TryOpen(GuestAddress address, uint length, uint alignment, out GuestWindow window)
    {
        window = default;
        return address.Value % alignment == 0 && _memory.TryGetWindow(address, length, out window);
    }

    private PopResult Break(string reason)
    {
        Fault = reason;
        _state.Broken = true;
        return PopResult.Faulty;
    }
}
