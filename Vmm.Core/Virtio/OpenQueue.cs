using Vmm.Core.Events;

namespace Vmm.Core.Virtio;

/// <summary>A queue in use: its ring, and whom to tell about it.</summary>
public sealed record OpenQueue(IVirtioTransport Transport, int Index, Virtqueue Ring, EventFd Doorbell)
{
    /// <summary>Null when the driver has not set the queue up, or has broken it.</summary>
    public static OpenQueue? TryOpen(IVirtioTransport transport, int index, EventFd doorbell)
    {
        Virtqueue ring = transport.GetQueue(index);
        return ring.IsUsable ? new OpenQueue(transport, index, ring, doorbell) : null;
    }

    /// <summary>Shows the driver what was pushed, with an interrupt if it wants one. Whether it did.</summary>
    public bool Publish()
    {
        Ring.Publish();
        bool interrupts = Ring.NeedsInterrupt();
        if (interrupts)
        {
            Transport.InterruptQueue(Index);
        }

        return interrupts;
    }

    public void Fail(string reason) => Transport.Fail(Index, reason);
}
