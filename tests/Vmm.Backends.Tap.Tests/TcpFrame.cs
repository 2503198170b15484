using System.Buffers.Binary;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

/// <summary>A TCP frame over IPv4, longer than any MTU, for somebody else to segment.</summary>
internal static class TcpFrame
{
    public const int Headers = 14 + 20 + 20;

    /// <summary>The 10-byte virtio_net_hdr of a packet socket, then a frame of so many bytes.</summary>
    public static byte[] ToSegment(int frameLength, ushort segmentSize)
    {
        byte[] bytes = new byte[10 + frameLength];
        bytes[0] = 1; // VIRTIO_NET_HDR_F_NEEDS_CSUM
        bytes[1] = 1; // VIRTIO_NET_HDR_GSO_TCPV4
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(2), Headers);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(4), segmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(6), 14 + 20);
        BinaryPrimitives.WriteUInt16LittleEndian(bytes.AsSpan(8), 16);

        Span<byte> frame = bytes.AsSpan(10);
        MacAddress.Broadcast.CopyTo(frame);
        frame[6] = 0x52;
        frame[12] = 0x08; // IPv4
        Span<byte> ip = frame[14..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)Math.Min(65535, ip.Length));
        ip[8] = 64;
        ip[9] = 6;
        ((ReadOnlySpan<byte>)[10, 1, 0, 1, 10, 1, 0, 2]).CopyTo(ip[12..]);
        uint sum = 0;
        for (int i = 0; i < 20; i += 2)
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(ip[i..]);
        }

        sum = (sum & 0xffff) + (sum >> 16);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~((sum & 0xffff) + (sum >> 16)));
        Span<byte> tcp = ip[20..];
        tcp[1] = 9;
        tcp[3] = 9;
        tcp[12] = 5 << 4;
        tcp[13] = 0x10; // ACK
        return bytes;
    }

    /// <summary>The length without virtio_net_hdr of the next TCP frame, 0 when none comes in time.</summary>
    public static int Receive(INetworkQueue queue, Frames frames)
    {
        while (NetworkReadiness.Wait(queue.Readiness!))
        {
            int length = queue.Receive(frames.Use(frames.Bytes.Length));
            if (length > 0 && frames.Ethernet[12] == 8 && frames.Ethernet[13] == 0 && frames.Ethernet[14 + 9] == 6)
            {
                return length - INetworkBackend.HeaderSize;
            }
        }

        return 0;
    }
}
