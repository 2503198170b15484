using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>Which frames the driver wants, as it stands now.</summary>
public sealed record ReceiveFilterReport
{
    /// <summary>The card's address; a driver may change it.</summary>
    public required MacAddress Mac { get; init; }

    public bool Promiscuous { get; init; }

    public bool AllMulticast { get; init; }

    public bool AllUnicast { get; init; }

    public bool NoMulticast { get; init; }

    public bool NoUnicast { get; init; }

    public bool NoBroadcast { get; init; }

    public bool UnicastOverflowed { get; init; }

    public bool MulticastOverflowed { get; init; }

    /// <summary>Besides <see cref="Mac"/>.</summary>
    public required IReadOnlyList<MacAddress> Unicast { get; init; }

    public required IReadOnlyList<MacAddress> Multicast { get; init; }

    /// <summary>The VLANs that are let in; null when the driver does not have them filtered.</summary>
    public IReadOnlyList<int>? Vlans { get; init; }
}
