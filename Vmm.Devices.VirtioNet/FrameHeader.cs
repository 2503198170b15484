using System.Buffers.Binary;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// struct virtio_net_hdr of a version 1 device, little endian (virtio 1.2 section 5.1.6): what each side may say in it. The bytes are
/// always a copy in host memory: what was checked is what is used.
/// </summary>
internal static class FrameHeader
{
    public const int Size = 12;

    /// <summary>Bytes of an Ethernet header; Linux refuses frames that are shorter.</summary>
    public const int MinFrameLength = 14;

    /// <summary>
    /// The longest frame without header: 65,535 bytes of payload behind an IPv6, an Ethernet and two VLAN headers.
    /// </summary>
    public const int MaxFrameLength = 65_535 + 40 + MinFrameLength + 2 * 4;

    private const int FlagsAt = 0;
    private const int GsoTypeAt = 1;
    private const int HeaderLengthAt = 2;
    private const int GsoSizeAt = 4;
    private const int ChecksumStartAt = 6;
    private const int ChecksumOffsetAt = 8;
    private const int BufferCountAt = 10;

    private const byte NeedsChecksum = 1;
    private const byte DataValid = 2;

    private const byte GsoNone = 0;
    private const byte GsoTcp4 = 1;
    private const byte GsoUdp = 3;
    private const byte GsoTcp6 = 4;
    private const byte GsoUdpL4 = 5;
    private const byte GsoEcn = 0x80;

    /// <summary>Checks the driver's header of a frame of <paramref name="frameLength"/> bytes and clears what means nothing.</summary>
    public static DropReason? CheckTransmit(Span<byte> header, long frameLength, ulong features)
    {
        // SPEC: 5.1.6.2.2: flags that the device does not know are ignored; the buffer count is for the other direction.
        header[FlagsAt] &= NeedsChecksum;
        Write(header, BufferCountAt, 0);
        if (header[FlagsAt] == 0)
        {
            Write(header, ChecksumStartAt, 0);
            Write(header, ChecksumOffsetAt, 0);
        }
        else if ((features & VirtioNetFeatures.Checksum) == 0)
        {
            return DropReason.Offload;
        }
        else if (Read(header, ChecksumStartAt) + Read(header, ChecksumOffsetAt) + 2 > frameLength)
        {
            return DropReason.Malformed;
        }

        return CheckTransmitSegmentation(header, frameLength, features);
    }

    /// <summary>Checks the back end's header against what the driver accepts, and clears what it must not see.</summary>
    public static DropReason? CheckReceive(Span<byte> header, ulong guestOffloads)
    {
        if ((guestOffloads & VirtioNetFeatures.GuestChecksum) != 0)
        {
            header[FlagsAt] &= NeedsChecksum | DataValid;
        }
        else if ((header[FlagsAt] & NeedsChecksum) != 0)
        {
            return DropReason.Offload;
        }
        else
        {
            // SPEC: 5.1.6.4.1: without GUEST_CSUM the flags are 0. Linux says DATA_VALID all the same.
            header[FlagsAt] = 0;
        }

        byte type = header[GsoTypeAt];
        ulong needed = (type & ~GsoEcn) switch
        {
            GsoNone => 0,
            GsoTcp4 => VirtioNetFeatures.GuestTso4,
            GsoTcp6 => VirtioNetFeatures.GuestTso6,
            GsoUdp => VirtioNetFeatures.GuestUfo,
            GsoUdpL4 => VirtioNetFeatures.GuestUso4 | VirtioNetFeatures.GuestUso6,
            _ => ulong.MaxValue,
        };
        needed |= (type & GsoEcn) != 0 ? VirtioNetFeatures.GuestEcn : 0;
        return (needed & ~guestOffloads) == 0 ? null : DropReason.Offload;
    }

    /// <summary>SPEC: 5.1.6.4.1: how many chains the frame has; 1 when they can't be merged.</summary>
    public static void SetBufferCount(Span<byte> header, int chains) => Write(header, BufferCountAt, (ushort)chains);

    private static DropReason? CheckTransmitSegmentation(Span<byte> header, long frameLength, ulong features)
    {
        byte type = header[GsoTypeAt];
        if (type == GsoNone)
        {
            Write(header, HeaderLengthAt, 0);
            Write(header, GsoSizeAt, 0);
            return null;
        }

        ulong needed = (type & ~GsoEcn) switch
        {
            GsoTcp4 => VirtioNetFeatures.HostTso4,
            GsoTcp6 => VirtioNetFeatures.HostTso6,
            GsoUdp => VirtioNetFeatures.HostUfo,
            GsoUdpL4 => VirtioNetFeatures.HostUso,
            _ => 0,
        };
        if (needed == 0)
        {
            return DropReason.Malformed;
        }

        needed |= (type & GsoEcn) != 0 ? VirtioNetFeatures.HostEcn : 0;
        if ((needed & ~features) != 0)
        {
            return DropReason.Offload;
        }

        return Read(header, GsoSizeAt) == 0 || Read(header, HeaderLengthAt) > frameLength ? DropReason.Malformed : null;
    }

    private static ushort Read(ReadOnlySpan<byte> header, int at) => BinaryPrimitives.ReadUInt16LittleEndian(header[at..]);

    private static void Write(Span<byte> header, int at, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(header[at..], value);
}
