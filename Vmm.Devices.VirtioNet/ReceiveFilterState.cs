using Vmm.Core.State;

namespace Vmm.Devices.VirtioNet;

/// <summary>What the driver has said about the frames it wants (virtio 1.2 sections 5.1.6.5.1 to 5.1.6.5.3).</summary>
internal struct ReceiveFilterState : IDescribed<ReceiveFilterState>
{
    /// <summary>VLAN identifiers, one bit each.</summary>
    public const int VlanCount = 4096;

    public bool Promiscuous;
    public bool AllMulticast;
    public bool AllUnicast;
    public bool NoMulticast;
    public bool NoUnicast;
    public bool NoBroadcast;
    public MacTable Unicast;
    public MacTable Multicast;

    /// <summary>The VLANs that are let in, as a bitmap; looked at only when CTRL_VLAN is negotiated.</summary>
    public ulong[] Vlans;

    /// <summary>
    /// SPEC: the specification leaves open what a device receives before the driver has said anything. As in QEMU it is everything: a
    /// driver without CTRL_RX could not ask for it.
    /// </summary>
    public static ReceiveFilterState Initial() => new()
    {
        Promiscuous = true,
        Unicast = MacTable.Empty(),
        Multicast = MacTable.Empty(),
        Vlans = new ulong[VlanCount / 64],
    };

    public static string StateName => "virtio-net-filter";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref ReceiveFilterState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("promiscuous", ref state.Promiscuous);
        visitor.Field("all_multicast", ref state.AllMulticast);
        visitor.Field("all_unicast", ref state.AllUnicast);
        visitor.Field("no_multicast", ref state.NoMulticast);
        visitor.Field("no_unicast", ref state.NoUnicast);
        visitor.Field("no_broadcast", ref state.NoBroadcast);
        visitor.Struct("unicast", ref state.Unicast);
        visitor.Struct("multicast", ref state.Multicast);
        visitor.Each("vlans", state.Vlans.AsSpan());
    }
}
