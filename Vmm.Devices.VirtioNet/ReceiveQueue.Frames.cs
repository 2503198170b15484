using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

// One frame: reading, checking, delivering it.
internal sealed partial class ReceiveQueue
{
    private const int StartBytes = FrameHeader.Size + ReceiveFilter.BytesNeeded;

    /// <summary>False when there is nothing more to do now.</summary>
    private bool MoveOne(OpenQueue open, FrameRules rules)
    {
        if (!rules.LinkUp)
        {
            return DiscardOne();
        }

        int longest = _state.PendingLength != 0 ? _state.PendingLength : Math.Min(_backend.MaxFrameSize, _state.PendingFrame.Length);
        int maxChains = rules.IsMergeable ? open.Ring.State.Size : 1;
        if (_window.Fill(open.Ring, longest, maxChains) is { } fault)
        {
            Fail(open, fault);
            return false;
        }

        if (_state.PendingLength != 0)
        {
            return DeliverPending(open, rules);
        }

        return _window.ChainCount == 0 ? WaitForBuffers(open) : ReadOne(open, rules);
    }

    private bool ReadOne(OpenQueue open, FrameRules rules)
    {
        int room = (int)Math.Min(_window.Bytes, _state.PendingFrame.Length);
        int length = Read(room, out bool isInHost);
        if (length <= 0)
        {
            return StopReading(length);
        }

        if (length <= room && !isInHost)
        {
            return DeliverInPlace(open, rules, length);
        }

        if (!isInHost)
        {
            _window.Ranges.CopyTo(0, _state.PendingFrame.Span[..room]);
        }

        _state.PendingLength = length;
        return DeliverPending(open, rules);
    }

    /// <summary>
    /// Reads one frame into the window's <paramref name="room"/> bytes and on into the pending frame's memory, at the offset where it would
    /// stand there. A read that is too short for a frame cuts it without a word, and the host may raise an interface's MTU at any time:
    /// there is always room for the longest frame that there can be.
    /// </summary>
    private int Read(int room, out bool isInHost)
    {
        ScatterList ranges = _window.Ranges;
        int count = ranges.Count;
        int whole = _state.PendingFrame.Length;
        isInHost = false;
        if (room == whole)
        {
            return _backend.Receive(ranges);
        }

        if (ranges.TryAdd(_state.PendingFrame, room, whole - room))
        {
            int length = _backend.Receive(ranges);
            ranges.Truncate(count);
            return length;
        }

        isInHost = true;
        return ReadIntoHost(whole);
    }

    private int ReadIntoHost(int longest)
    {
        _hostRange.Clear();
        _hostRange.TryAdd(_state.PendingFrame, longest);
        return _backend.Receive(_hostRange);
    }

    private bool DeliverInPlace(OpenQueue open, FrameRules rules, int length)
    {
        Span<byte> start = stackalloc byte[StartBytes];
        start = start[.._window.Ranges.CopyTo(0, start[..Math.Min(length, StartBytes)])];
        if (Inspect(start, length, rules) is { } reason)
        {
            // The chains stay in the window for the next frame.
            _metrics.CountDrop(reason);
            return true;
        }

        Deliver(open, start, length);
        return true;
    }

    /// <summary>The rules may have changed while the frame waited: it is looked at now.</summary>
    private bool DeliverPending(OpenQueue open, FrameRules rules)
    {
        int length = _state.PendingLength;
        if (Inspect(_state.PendingFrame.Span[..Math.Min(length, StartBytes)], length, rules) is { } reason)
        {
            return DropPending(reason);
        }

        if (_window.Bytes >= length)
        {
            Span<byte> frame = _state.PendingFrame.Span[..length];
            _window.Ranges.CopyFrom(0, frame);
            _state.PendingLength = 0;
            Deliver(open, frame, length);
            return true;
        }

        // Once all that the ring can ever hold is here and not enough, waiting is over.
        return _window.IsFull ? DropPending(DropReason.TooLong) : WaitForBuffers(open);
    }

    private bool DropPending(DropReason reason)
    {
        _state.PendingLength = 0;
        _metrics.CountDrop(reason);
        return true;
    }

    private void Deliver(OpenQueue open, Span<byte> start, int length)
    {
        Span<byte> header = start[..FrameHeader.Size];
        FrameHeader.SetBufferCount(header, _window.CountChains(length));
        _window.Ranges.CopyFrom(0, header);
        _window.Use(open.Ring, length);
        _metrics.CountFrame(length - FrameHeader.Size);

        // One by one: the guest works on this frame while the next one is read. A driver that is at work wants no interrupt.
        if (open.Publish())
        {
            _metrics.CountInterrupt();
        }
    }

    /// <summary>Reads and drops one frame while the link is down.</summary>
    private bool DiscardOne()
    {
        if (_state.PendingLength != 0)
        {
            DropPending(DropReason.LinkDown);
        }

        int length = ReadIntoHost(_state.PendingFrame.Length);
        if (length <= 0)
        {
            return StopReading(length);
        }

        _metrics.CountDrop(DropReason.LinkDown);
        return true;
    }

    private bool StopReading(int result)
    {
        if (result < 0)
        {
            HasFailed = true;
            _metrics.CountError();
        }

        return false;
    }

    /// <summary>True when the guest has added buffers in the meantime.</summary>
    private bool WaitForBuffers(OpenQueue open)
    {
        if (open.Ring.EnableDoorbell())
        {
            return true;
        }

        _isStarved = true;
        _metrics.CountWait();
        return false;
    }

    private void Fail(OpenQueue open, string reason)
    {
        _window.Clear();
        _open = null;
        open.Fail(reason);
    }

    /// <summary>Checks the first bytes of a frame and its header, which is put right in place.</summary>
    private static DropReason? Inspect(Span<byte> start, int length, FrameRules rules)
    {
        if (length < FrameHeader.Size + FrameHeader.MinFrameLength)
        {
            return DropReason.Runt;
        }

        if (FrameHeader.CheckReceive(start, rules.GuestOffloads) is { } reason)
        {
            return reason;
        }

        return rules.Filter.AcceptsAll || rules.Filter.Accepts(start[FrameHeader.Size..]) ? null : DropReason.Filtered;
    }
}
