using Vmm.Core.Memory;

namespace Vmm.Core.Virtio;

/// <summary>All that changes in a split virtqueue while it is used: what a successor needs to go on.</summary>
public struct VirtqueueState
{
    /// <summary>Entries; a power of two.</summary>
    public ushort Size;

    public bool Ready;

    public GuestAddress DescriptorTable;

    /// <summary>The driver area (virtio 1.2 section 2.7.6).</summary>
    public GuestAddress AvailableRing;

    /// <summary>The device area (virtio 1.2 section 2.7.8).</summary>
    public GuestAddress UsedRing;

    /// <summary>The free-running index of the next chain to take.</summary>
    public ushort NextAvailable;

    /// <summary>The free-running index of the next used element to write.</summary>
    public ushort NextUsed;

    /// <summary>The used index that the driver was last interrupted for; with event indexes only.</summary>
    public ushort SignalledUsed;

    /// <summary>False until the first interrupt decision: then SignalledUsed means nothing yet.</summary>
    public bool SignalledUsedValid;
}
