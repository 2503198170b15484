using System.Buffers.Binary;
using Tmds.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>
/// Frames for a wire without virtio_net_hdr, as QEMU's socket back ends have it: the header is taken off (a checksum that is still
/// to be filled in is, here) and put before again.
/// </summary>
internal static class PlainFrame
{
    /// <summary>The longest frame on such a wire (QEMU's NET_BUFSIZE).</summary>
    public const int MaxLength = 4096 + 65536;

    private const byte VIRTIO_NET_HDR_F_NEEDS_CSUM = 1;

    /// <summary>An Ethernet frame of that MTU, with two VLAN tags.</summary>
    public static int Longest(int mtu) => Math.Min(MaxLength, mtu + 14 + 2 * 4);

    /// <summary>Copies the frame behind the header into <paramref name="target"/>, ready for the wire. Returns its length, or -errno.</summary>
    public static int Take(ScatterList source, Span<byte> target)
    {
        Span<byte> header = stackalloc byte[INetworkBackend.HeaderSize];
        if (source.CopyTo(0, header) < header.Length)
        {
            return -LibC.EINVAL;
        }

        // Nobody behind this wire can cut a frame in segments.
        if (header[1] != 0)
        {
            return -LibC.EOPNOTSUPP;
        }

        long length = source.TotalBytes - header.Length;
        if (length > target.Length)
        {
            return -LibC.EMSGSIZE;
        }

        target = target[..(int)length];
        source.CopyTo(header.Length, target);
        int start = BinaryPrimitives.ReadUInt16LittleEndian(header[6..]);
        int field = start + BinaryPrimitives.ReadUInt16LittleEndian(header[8..]);
        if ((header[0] & VIRTIO_NET_HDR_F_NEEDS_CSUM) == 0)
        {
            return target.Length;
        }

        if (start >= target.Length || field + sizeof(ushort) > target.Length)
        {
            return -LibC.EINVAL;
        }

        // SPEC: virtio 1.2 section 5.1.6.2: the field holds the pseudo header's sum. 0 means "no checksum" in UDP.
        ushort sum = Checksum(target[start..]);
        BinaryPrimitives.WriteUInt16BigEndian(target[field..], sum == 0 ? (ushort)0xffff : sum);
        return target.Length;
    }

    /// <summary>Puts a frame into <paramref name="target"/>, a header of zeros before it. Returns how many bytes fitted, header included.</summary>
    public static int Give(ReadOnlySpan<byte> frame, ScatterList target)
    {
        Span<byte> header = stackalloc byte[INetworkBackend.HeaderSize];
        header.Clear();
        return target.CopyFrom(0, header) + target.CopyFrom(header.Length, frame);
    }

    /// <summary>The Internet checksum (RFC 1071).</summary>
    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        ulong sum = 0;
        for (; bytes.Length >= sizeof(ushort); bytes = bytes[sizeof(ushort)..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(bytes);
        }

        sum += bytes.Length == 0 ? 0 : (ulong)bytes[0] << 8;
        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)~sum;
    }
}
