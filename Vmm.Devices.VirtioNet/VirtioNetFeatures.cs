using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// Feature bits of a network device (virtio 1.2 section 5.1.3; the USO bits: virtio 1.3), their dependencies and their relation to a
/// back end.
/// </summary>
public static class VirtioNetFeatures
{
    public const ulong Checksum = 1ul << 0;
    public const ulong GuestChecksum = 1ul << 1;
    public const ulong ControlGuestOffloads = 1ul << 2;
    public const ulong Mtu = 1ul << 3;
    public const ulong Mac = 1ul << 5;
    public const ulong GuestTso4 = 1ul << 7;
    public const ulong GuestTso6 = 1ul << 8;
    public const ulong GuestEcn = 1ul << 9;
    public const ulong GuestUfo = 1ul << 10;
    public const ulong HostTso4 = 1ul << 11;
    public const ulong HostTso6 = 1ul << 12;
    public const ulong HostEcn = 1ul << 13;
    public const ulong HostUfo = 1ul << 14;
    public const ulong MergeableReceiveBuffers = 1ul << 15;
    public const ulong Status = 1ul << 16;
    public const ulong ControlQueue = 1ul << 17;
    public const ulong ControlReceive = 1ul << 18;
    public const ulong ControlVlan = 1ul << 19;
    public const ulong ControlReceiveExtra = 1ul << 20;
    public const ulong GuestAnnounce = 1ul << 21;
    public const ulong MultiQueue = 1ul << 22;
    public const ulong ControlMacAddress = 1ul << 23;
    public const ulong GuestUso4 = 1ul << 54;
    public const ulong GuestUso6 = 1ul << 55;
    public const ulong HostUso = 1ul << 56;
    public const ulong SpeedDuplex = 1ul << 63;

    /// <summary>What CTRL_GUEST_OFFLOADS_SET may switch (virtio 1.2 section 5.1.6.5.6).</summary>
    public const ulong GuestOffloads = GuestChecksum | GuestTso4 | GuestTso6 | GuestEcn | GuestUfo | GuestUso4 | GuestUso6;

    private const ulong Always = Mac | Status | SpeedDuplex | MergeableReceiveBuffers | ControlQueue | ControlReceive | ControlReceiveExtra
        | ControlMacAddress | ControlVlan | GuestAnnounce;

    // SPEC: 5.1.3.1: each of the first needs at least one of the second.
    private static readonly (ulong Feature, ulong AnyOf, string Reason)[] Dependencies =
    [
        (GuestTso4 | GuestTso6 | GuestUfo | GuestUso4 | GuestUso6, GuestChecksum,
            "GUEST_TSO4, GUEST_TSO6, GUEST_UFO and GUEST_USO need GUEST_CSUM"),
        (GuestEcn, GuestTso4 | GuestTso6, "GUEST_ECN needs GUEST_TSO4 or GUEST_TSO6"),
        (HostTso4 | HostTso6 | HostUfo | HostUso, Checksum, "HOST_TSO4, HOST_TSO6, HOST_UFO and HOST_USO need CSUM"),
        (HostEcn, HostTso4 | HostTso6, "HOST_ECN needs HOST_TSO4 or HOST_TSO6"),
        (ControlReceive | ControlVlan | GuestAnnounce | MultiQueue | ControlMacAddress, ControlQueue,
            "CTRL_RX, CTRL_VLAN, GUEST_ANNOUNCE, MQ and CTRL_MAC_ADDR need CTRL_VQ"),
    ];

    // The host's side of an offload needs no more than a back end that takes such frames: one that also hands them out.
    private static readonly (NetworkOffloads Offload, ulong Guest, ulong Host)[] Offloads =
    [
        (NetworkOffloads.Checksum, GuestChecksum | ControlGuestOffloads, Checksum),
        (NetworkOffloads.Tso4, GuestTso4, HostTso4),
        (NetworkOffloads.Tso6, GuestTso6, HostTso6),
        (NetworkOffloads.TsoEcn, GuestEcn, HostEcn),
        (NetworkOffloads.Ufo, GuestUfo, HostUfo),
        (NetworkOffloads.Uso4, GuestUso4, 0),
        (NetworkOffloads.Uso6, GuestUso6, 0),
        (NetworkOffloads.Uso4 | NetworkOffloads.Uso6, 0, HostUso),
    ];

    /// <summary>What a device of this configuration on this back end offers.</summary>
    internal static ulong Offered(VirtioNetConfig config, int? mtu, NetworkOffloads supported)
    {
        ulong features = Always;
        features |= mtu is null ? 0 : Mtu;
        features |= config.QueuePairs > 1 ? MultiQueue : 0;
        foreach ((NetworkOffloads offload, ulong guest, ulong host) in Offloads)
        {
            features |= (supported & offload) == offload ? guest | host : 0;
        }

        // A back end with segmentation but without checksums would offer what no driver may accept.
        const ulong segmentation = GuestOffloads | HostTso4 | HostTso6 | HostEcn | HostUfo | HostUso;
        return (supported & NetworkOffloads.Checksum) != 0 ? features : features & ~segmentation;
    }

    /// <summary>Null, or which dependency of section 5.1.3.1 is broken.</summary>
    internal static string? Reject(ulong features)
    {
        foreach ((ulong feature, ulong anyOf, string reason) in Dependencies)
        {
            if ((features & feature) != 0 && (features & anyOf) == 0)
            {
                return reason;
            }
        }

        return null;
    }

    /// <summary>Guest offload bits in the back end's terms.</summary>
    internal static NetworkOffloads ToOffloads(ulong guestOffloads)
    {
        NetworkOffloads result = NetworkOffloads.None;
        foreach ((NetworkOffloads offload, ulong guest, _) in Offloads)
        {
            result |= (guestOffloads & guest & GuestOffloads) != 0 ? offload : NetworkOffloads.None;
        }

        // Linux switches UDP segmentation for both families or for none (TUNSETOFFLOAD).
        const NetworkOffloads uso = NetworkOffloads.Uso4 | NetworkOffloads.Uso6;
        return (result & uso) == uso ? result : result & ~uso;
    }
}
