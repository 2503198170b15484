using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// All that changes in a network device while it is used, but for its rings and its queue pairs' <see cref="ReceiveQueueState"/>.
/// </summary>
internal struct VirtioNetState
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
}
