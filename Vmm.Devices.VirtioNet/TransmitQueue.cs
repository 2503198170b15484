using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// Frames from the guest's buffers to the back end, without a copy but for the header: that is read once, checked, and sent from host
/// memory.
/// </summary>
/// <remarks>
/// A chain that is no sound frame is dropped, counted and handed back: it hurts nobody but its sender. When the back end has no room the
/// chain goes back to the ring and the queue waits. Used under the queue pair's lock only.
/// </remarks>
internal sealed class TransmitQueue : IDisposable
{
    /// <summary>Frames in one go: what else the I/O thread has to do comes in between.</summary>
    public const int BatchSize = 128;

    private readonly INetworkQueue _backend;
    private readonly QueueMetrics _metrics;

    private readonly ScatterList _frame = new();
    private readonly ScatterList _writable = new();
    private readonly HostBuffer _host = new(FrameHeader.Size + FrameHeader.MaxFrameLength);
    private OpenQueue? _open;

    public TransmitQueue(INetworkQueue backend, QueueMetrics metrics)
    {
        _backend = backend;
        _metrics = metrics;
    }

    /// <summary>The back end has no room; frames wait in the ring.</summary>
    public bool IsBlocked { get; private set; }

    /// <summary>Whether somebody will say when there is room again; otherwise a frame without room is dropped.</summary>
    public bool CanWait { get; set; }

    public void Open(OpenQueue queue)
    {
        _open = queue;
        IsBlocked = false;
    }

    public void Close()
    {
        _open = null;
        IsBlocked = false;
    }

    /// <summary>The back end has room again, or will never have.</summary>
    public void Unblock() => IsBlocked = false;

    /// <summary>
    /// Sends frames until there are none, there is no room, or the batch is full. The driver is not asked to ring: that is
    /// <see cref="TryRest"/>.
    /// </summary>
    /// <returns>Whether any was taken.</returns>
    public bool RunBatch(FrameRules rules)
    {
        if (_open is not { } open || IsBlocked)
        {
            return false;
        }

        open.Ring.DisableDoorbell();
        int pushed = 0;
        bool goesOn = true;
        bool isBroken = false;
        for (int i = 0; i < BatchSize && goesOn; i++)
        {
            _frame.Clear();
            _writable.Clear();
            switch (open.Ring.TryPop(_frame, _writable, out DescriptorChain chain))
            {
                case PopResult.Taken:
                    goesOn = TrySend(chain, rules);
                    if (goesOn)
                    {
                        open.Ring.Push(chain.Head, 0);
                        pushed++;
                    }
                    else
                    {
                        open.Ring.Return(1);
                        IsBlocked = true;
                        _metrics.CountWait();
                    }

                    break;
                case PopResult.Empty:
                    goesOn = false;
                    break;
                default:
                    goesOn = false;
                    isBroken = true;
                    break;
            }
        }

        if (pushed > 0)
        {
            if (open.Publish())
            {
                _metrics.CountInterrupt();
            }
        }

        if (isBroken)
        {
            _open = null;
            open.Fail(open.Ring.Fault ?? "a transmit chain has too many buffers");
        }

        return pushed > 0;
    }

    /// <summary>
    /// Asks the driver to ring for the next frame; false when one has come in the meantime. A queue that is closed, or waits for the
    /// back end, rests anyhow.
    /// </summary>
    public bool TryRest() => _open is null || IsBlocked || !_open.Ring.EnableDoorbell();

    /// <summary>Comes back later, as if the driver had rung.</summary>
    public void RingAgain() => _open?.Doorbell.Signal();

    public void Dispose()
    {
        _frame.Dispose();
        _writable.Dispose();
        _host.Dispose();
    }

    /// <summary>Sends or drops one frame; false when it has to wait.</summary>
    private bool TrySend(in DescriptorChain chain, FrameRules rules)
    {
        long length = _frame.TotalBytes - FrameHeader.Size;
        if (Check(chain, length, rules) is { } reason)
        {
            _metrics.CountDrop(reason);
            return true;
        }

        if (!_frame.TryReplaceStart(_host, FrameHeader.Size))
        {
            // No range is left to cut the header off with: as many buffers as one writev takes. Rare enough to be copied.
            int whole = FrameHeader.Size + (int)length;
            _frame.CopyTo(FrameHeader.Size, _host.Span[FrameHeader.Size..whole]);
            _frame.Clear();
            _frame.TryAdd(_host, whole);
        }

        int result = _backend.Transmit(_frame);
        if (result > 0)
        {
            _metrics.CountFrame(length);
        }
        else if (result == 0 && CanWait)
        {
            return false;
        }
        else
        {
            _metrics.CountDrop(DropReason.Backend);
        }

        return true;
    }

    private DropReason? Check(in DescriptorChain chain, long length, FrameRules rules)
    {
        if (length < 0 || chain.WritableCount != 0)
        {
            return DropReason.Malformed;
        }

        if (length < FrameHeader.MinFrameLength)
        {
            return DropReason.Runt;
        }

        if (length > FrameHeader.MaxFrameLength)
        {
            return DropReason.TooLong;
        }

        if (!rules.LinkUp)
        {
            return DropReason.LinkDown;
        }

        Span<byte> header = _host.Span[..FrameHeader.Size];
        _frame.CopyTo(0, header);
        return FrameHeader.CheckTransmit(header, length, rules.Features);
    }
}
