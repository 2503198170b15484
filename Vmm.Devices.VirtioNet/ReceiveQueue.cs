using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// Frames from the back end into the guest's buffers, without a copy: the back end reads into the ranges of chains taken ahead.
/// </summary>
/// <remarks>
/// When those chains hold the longest possible frame, whatever comes fits. When the guest has made less available, host memory is put
/// behind them for the read; a frame that spills over is kept there as the pending frame until the guest has added buffers. With
/// no buffers at all nothing is read: the frames wait in the back end. Used under the queue pair's lock only.
/// </remarks>
internal sealed partial class ReceiveQueue : IDisposable
{
    /// <summary>Frames in one go: what else the I/O thread has to do comes in between.</summary>
    private const int BatchSize = 64;

    private readonly INetworkQueue _backend;
    private readonly QueueMetrics _metrics;

    private readonly ReceiveWindow _window = new();
    private readonly ScatterList _hostRange = new(1);
    private OpenQueue? _open;
    private bool _isStarved;

    private ReceiveQueueState _state;

    public ReceiveQueue(INetworkQueue backend, QueueMetrics metrics)
    {
        _backend = backend;
        _metrics = metrics;
        _state.PendingFrame = new HostBuffer(FrameHeader.Size + FrameHeader.MaxFrameLength);
    }

    /// <summary>Whether frames are to be read when the back end has some.</summary>
    public bool WantsFrames => _open is not null && !_isStarved;

    /// <summary>The back end has failed a read; nothing comes from it any more.</summary>
    public bool HasFailed { get; private set; }

    /// <summary>What migrates.</summary>
    public ref ReceiveQueueState State => ref _state;

    public void Open(OpenQueue queue)
    {
        _open = queue;
        _isStarved = false;
        HasFailed = false;
        queue.Ring.DisableDoorbell();
    }

    /// <summary>Stops; chains that were taken and not used go back to the ring, so that its state is exact.</summary>
    public void Close()
    {
        if (_open is { } open)
        {
            _window.Return(open.Ring);
        }

        _open = null;
    }

    public void DiscardPending() => _state.PendingLength = 0;

    /// <summary>Delivers the frame that waits; without buffers for it, it is dropped.</summary>
    public void GiveAwayPending(FrameRules rules)
    {
        if (_state.PendingLength != 0 && _open is { } open && !(MoveOne(open, rules) && _state.PendingLength == 0))
        {
            DropPending(DropReason.Backend);
        }
    }

    /// <summary>Moves frames until there are none, the guest has no buffers, or the batch is full.</summary>
    /// <returns>Whether the batch was full, so that there may be more.</returns>
    public bool RunBatch(FrameRules rules)
    {
        if (_open is not { } open)
        {
            return false;
        }

        if (_isStarved)
        {
            _isStarved = false;
            open.Ring.DisableDoorbell();
        }

        int budget = BatchSize;
        while (budget > 0 && MoveOne(open, rules))
        {
            budget--;
        }

        // More frames in the back end are reported again; a frame that waits here is nobody else's to remember.
        if (budget == 0 && _state.PendingLength != 0)
        {
            open.Doorbell.Signal();
        }

        return budget == 0;
    }

    public void Dispose()
    {
        _window.Dispose();
        _hostRange.Dispose();
        _state.PendingFrame.Dispose();
    }
}
