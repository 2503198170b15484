namespace Vmm.DemoGuest;

/// <summary>Feature bits that the guest accepts, and which of them need another (virtio 1.2 section 5.1.3).</summary>
internal static class VirtioNetFeatures
{
    public const byte Checksum = 0;
    public const byte GuestChecksum = 1;
    public const byte Mtu = 3;
    public const byte Mac = 5;
    public const byte GuestTso4 = 7;
    public const byte GuestTso6 = 8;
    public const byte GuestUfo = 10;
    public const byte HostTso4 = 11;
    public const byte HostTso6 = 12;
    public const byte HostUfo = 14;
    public const byte MergedReceiveBuffers = 15;
    public const byte Status = 16;
    public const byte ControlQueue = 17;
    public const byte GuestAnnounce = 21;
    public const byte MultiQueue = 22;
    public const byte EventIndex = 29;
    public const byte Version1 = 32;
    public const byte GuestUso4 = 54;
    public const byte GuestUso6 = 55;
    public const byte HostUso = 56;

    public const ulong Supported =
        (1UL << Checksum) | (1UL << GuestChecksum) | (1UL << Mtu) | (1UL << Mac) | (1UL << GuestTso4) | (1UL << GuestTso6)
        | (1UL << GuestUfo) | (1UL << HostTso4) | (1UL << HostTso6) | (1UL << HostUfo) | (1UL << MergedReceiveBuffers)
        | (1UL << Status) | (1UL << ControlQueue) | (1UL << GuestAnnounce) | (1UL << MultiQueue) | (1UL << EventIndex)
        | (1UL << Version1) | (1UL << GuestUso4) | (1UL << GuestUso6) | (1UL << HostUso);

    /// <summary>With one of these a frame may be as long as 65,550 bytes.</summary>
    public const ulong LargeReceive =
        (1UL << GuestTso4) | (1UL << GuestTso6) | (1UL << GuestUfo) | (1UL << GuestUso4) | (1UL << GuestUso6);

    /// <summary>
    /// A feature and another without which it is not accepted, to be applied in this order. Beyond the specification's rules, segmentation
    /// is only received that can also be sent: frames are answered in the form in which they came.
    /// </summary>
    public static IReadOnlyList<(byte Feature, byte Needs)> Requirements { get; } =
    [
        (HostTso4, Checksum), (HostTso6, Checksum), (HostUfo, Checksum), (HostUso, Checksum),
        (GuestTso4, GuestChecksum), (GuestTso6, GuestChecksum), (GuestUfo, GuestChecksum),
        (GuestUso4, GuestChecksum), (GuestUso6, GuestChecksum),
        (GuestTso4, HostTso4), (GuestTso6, HostTso6), (GuestUfo, HostUfo), (GuestUso4, HostUso), (GuestUso6, HostUso),
        (MultiQueue, ControlQueue), (GuestAnnounce, ControlQueue), (GuestAnnounce, Status),
    ];

    /// <summary>gso_type of the header and the feature that lets it be sent.</summary>
    public static IReadOnlyList<(byte SegmentationType, byte Feature)> Sending { get; } =
        [(1, HostTso4), (3, HostUfo), (4, HostTso6), (5, HostUso)];
}
