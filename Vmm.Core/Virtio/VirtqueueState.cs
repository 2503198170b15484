using Vmm.Core.Memory;
using Vmm.Core.State;

namespace Vmm.Core.Virtio;

/// <summary>All that changes in a split virtqueue while it is used: what a successor needs to go on.</summary>
public struct VirtqueueState : IDescribed<VirtqueueState>
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

    /// <summary>The driver broke the ring; it is not used until it is reset.</summary>
    public bool Broken;

    public static string StateName => "virtqueue";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtqueueState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("size", ref state.Size);
        visitor.Field("ready", ref state.Ready);
        visitor.Field("broken", ref state.Broken);
        visitor.Field("descriptor_table", ref state.DescriptorTable);
        visitor.Field("available_ring", ref state.AvailableRing);
        visitor.Field("used_ring", ref state.UsedRing);
        visitor.Field("next_available", ref state.NextAvailable);
        visitor.Field("next_used", ref state.NextUsed);
        visitor.Field("signalled_used", ref state.SignalledUsed);
        visitor.Field("signalled_used_valid", ref state.SignalledUsedValid);
    }
}
