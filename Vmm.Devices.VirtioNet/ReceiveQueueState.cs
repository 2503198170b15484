using Vmm.Core.Memory;

namespace Vmm.Devices.VirtioNet;

/// <summary>All that changes in a receive queue beside its ring.</summary>
internal struct ReceiveQueueState
{
    /// <summary>The bytes of a frame, header first, that was read from the back end and that the guest has no buffers for yet.</summary>
    public HostBuffer PendingFrame;

    /// <summary>Its bytes; 0 when there is none.</summary>
    public int PendingLength;
}
