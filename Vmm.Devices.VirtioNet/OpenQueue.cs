using Vmm.Core.Events;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>A queue in use: its ring, and whom to tell about it.</summary>
internal sealed record OpenQueue(IVirtioTransport Transport, int Index, Virtqueue Ring, EventFd Doorbell)
{
    /// <summary>Shows the driver what was pushed, with an interrupt if it wants one.</summary>
    public void Publish(QueueMetrics metrics)
    {
        Ring.Publish();
        if (Ring.NeedsInterrupt())
        {
            metrics.CountInterrupt();
            Transport.InterruptQueue(Index);
        }
    }

    public void Fail(string reason) => Transport.Fail(Index, reason);
}
