using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

// Rings that the back end runs, where it can: while the link is up, and as long as the host allows it. The lock is held.
internal sealed partial class QueuePair
{
    private ProcessedRing? _processedReceive;
    private ProcessedRing? _processedTransmit;
    private bool _processorFailed;

    /// <summary>Whether the back end runs the rings from the next start on. While the link is down frames are dropped, which is done here.</summary>
    private bool UsesProcessor => _processedReceive is not null && !_processorFailed && _rules.LinkUp;

    /// <summary>The back end can run the rings.</summary>
    public bool HasProcessor => _processedReceive is not null;

    /// <summary>Says what the driver rings. Once, before the pair is used.</summary>
    public void Attach(EventFd receive, EventFd transmit)
    {
        _receiveDoorbell = receive;
        _transmitDoorbell = transmit;
        if (_backend.RingProcessor is { } processor)
        {
            _processedReceive = new ProcessedRing(processor, RingDirection.Receive, receive, _loop, ReceiveMetrics, _lock);
            _processedTransmit = new ProcessedRing(processor, RingDirection.Transmit, transmit, _loop, TransmitMetrics, _lock);
        }
    }

    /// <summary>False when the ring is to be run here.</summary>
    private bool TryProcess(ProcessedRing? ring, OpenQueue queue)
    {
        if (!UsesProcessor)
        {
            return false;
        }

        try
        {
            if (ring == _processedReceive && Receive.State.PendingLength != 0)
            {
                // A frame that was read when the rings were run by a vmm: the guest may have buffers for it by now.
                Receive.Open(queue);
                Receive.GiveAwayPending(_rules);
                Receive.Close();
            }

            if (queue.Ring.IsUsable)
            {
                ring!.Start(queue, _rules.Features);
            }

            return true;
        }
        catch (IOException e)
        {
            _processorFailed = true;
            _log.LogWarning("{Device}: the kernel does not run the rings, so vmm moves the frames: {Message}", _name, e.Message);
            return false;
        }
    }

    /// <summary>Takes back what the back end runs.</summary>
    private void StopProcessor()
    {
        _processedReceive?.Stop();
        _processedTransmit?.Stop();

        // It may have been for a lack of something that is there the next time.
        _processorFailed = false;
    }
}
