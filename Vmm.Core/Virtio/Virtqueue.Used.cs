namespace Vmm.Core.Virtio;

// Handing chains back through the used ring.
public sealed partial class Virtqueue
{
    /// <summary>Writes one used element. The driver sees it after <see cref="Publish"/>.</summary>
    /// <param name="head">The chain's <see cref="DescriptorChain.Head"/>.</param>
    /// <param name="written">Bytes written to its device-writable buffers.</param>
    public void Push(ushort head, uint written)
    {
        uint offset = RingOffset + 8u * (uint)(_state.NextUsed & _mask);
        _used.Write<uint>(offset, head);
        _used.Write(offset + 4, written);
        _state.NextUsed++;
    }

    /// <summary>Shows the driver all elements pushed so far.</summary>
    public void Publish()
    {
        // ORDER: release: the elements and the data in the buffers before the index.
        _used.WriteRelease(IndexOffset, _state.NextUsed);
    }

    /// <summary>Whether the driver wants an interrupt for what was published since the last time this was asked.</summary>
    public bool NeedsInterrupt()
    {
        if (!IsUsable)
        {
            return false;
        }

        // ORDER: the used index must be visible before the driver's wish is read, or both sides could sleep.
        Interlocked.MemoryBarrier();
        if (!_eventIndex)
        {
            return (_available.Read<ushort>(0) & 1) == 0;
        }

        ushort old = _state.SignalledUsed;
        ushort now = _state.NextUsed;
        bool valid = _state.SignalledUsedValid;
        _state.SignalledUsed = now;
        _state.SignalledUsedValid = true;

        // SPEC: 2.7.7.2: used_event stands behind the available ring; interrupt when it lies in [old, now).
        ushort usedEvent = _available.Read<ushort>(RingOffset + 2u * _state.Size);
        return !valid || (ushort)(now - usedEvent - 1) < (ushort)(now - old);
    }
}
