using Vmm.Core.Network;
using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// All that changes in a network device while it is used, but for its rings and its queue pairs' <see cref="ReceiveQueueState"/>.
/// </summary>
internal struct VirtioNetState : IDescribed<VirtioNetState>
{
    public MacAddress Mac;

    /// <summary>Set from outside; survives a reset.</summary>
    public bool LinkUp;

    /// <summary>VIRTIO_NET_S_ANNOUNCE: the driver is asked to announce itself and has not acknowledged yet.</summary>
    public bool AnnouncePending;

    /// <summary>Pairs that carry traffic, 1 unless VQ_PAIRS_SET said otherwise.</summary>
    public ushort ActivePairs;

    /// <summary>The GUEST_* feature bits in force; a subset of the negotiated ones.</summary>
    public ulong GuestOffloads;

    public ReceiveFilterState Filter;

    public static VirtioNetState Initial(MacAddress mac, bool linkUp)
        => new() { Mac = mac, LinkUp = linkUp, ActivePairs = 1, Filter = ReceiveFilterState.Initial() };

    public static string StateName => "virtio-net-device";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtioNetState state) where TVisitor : IStateVisitor, allows ref struct
    {
        Span<byte> mac = stackalloc byte[MacAddress.Length];
        state.Mac.CopyTo(mac);
        visitor.Bytes("mac", mac);
        state.Mac = MacAddress.Read(mac);
        visitor.Field("link_up", ref state.LinkUp);
        visitor.Field("announce_pending", ref state.AnnouncePending);
        visitor.Field("active_pairs", ref state.ActivePairs);
        visitor.Field("guest_offloads", ref state.GuestOffloads);
        visitor.Struct("filter", ref state.Filter);
    }

    public static string? PostLoad(scoped ref VirtioNetState state) => state.Mac.IsMulticast ? $"mac {state.Mac} is a group address" : null;
}
