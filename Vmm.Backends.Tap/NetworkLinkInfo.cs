using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

/// <summary>Which frames the TUN driver gives (IFLA_TUN_TYPE).</summary>
public enum TunType
{
    None = 0,

    /// <summary>IP packets.</summary>
    Tun = 1,

    /// <summary>Ethernet frames.</summary>
    Tap = 2,
}

/// <summary>A network interface as the kernel describes it (RTM_NEWLINK).</summary>
public sealed record NetworkLinkInfo
{
    public required string Name { get; init; }

    public int Index { get; init; }

    /// <summary>IFF_UP: set up by the administrator.</summary>
    public bool IsUp { get; init; }

    public bool HasCarrier { get; init; }

    /// <summary>Bytes.</summary>
    public int Mtu { get; init; }

    /// <summary>Null for an interface without an Ethernet address.</summary>
    public MacAddress? Address { get; init; }

    /// <summary>The driver's word: <c>tun</c>, <c>bridge</c>, <c>veth</c>; null for a physical interface.</summary>
    public string? Kind { get; init; }

    public TunType TunType { get; init; }

    /// <summary>Made with IFF_MULTI_QUEUE; null when the kernel does not tell (no TUN driver, or before Linux 4.17).</summary>
    public bool? TunMultiQueue { get; init; }

    /// <summary>Attached without IFF_NO_PI.</summary>
    public bool TunPacketInfo { get; init; }

    /// <summary>Open descriptors, attached and detached, of a multi-queue interface; for others the kernel does not tell.</summary>
    public int TunQueues { get; init; }

    /// <summary>The user who may attach.</summary>
    public uint? TunOwner { get; init; }
}
