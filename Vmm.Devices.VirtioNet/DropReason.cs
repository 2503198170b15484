namespace Vmm.Devices.VirtioNet;

/// <summary>Why a frame went no further.</summary>
public enum DropReason
{
    /// <summary>Received: longer than the guest's buffers can be. Transmitted: longer than any frame.</summary>
    TooLong,

    /// <summary>Shorter than an Ethernet header.</summary>
    Runt,

    /// <summary>The driver's receive filter does not want it.</summary>
    Filtered,

    /// <summary>It uses an offload that was not negotiated, or was switched off while the frame waited.</summary>
    Offload,

    /// <summary>The link is down.</summary>
    LinkDown,

    /// <summary>The virtio_net_hdr contradicts the frame, or the chain is not one of a frame.</summary>
    Malformed,

    /// <summary>The back end refused it.</summary>
    Backend,
}
