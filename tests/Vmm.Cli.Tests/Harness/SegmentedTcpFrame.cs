using System.Buffers.Binary;
using System.Net;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A TCP segment larger than any MTU with the virtio_net_hdr that asks for its segmentation, as AF_PACKET takes and gives it.</summary>
internal static class SegmentedTcpFrame
{
    private const int Ethernet = NetworkPacketSocket.VnetHeaderSize;
    private const int Ip = Ethernet + 14;
    private const int Tcp = Ip + 20;
    private const int Payload = Tcp + 20;
    private const byte NeedsChecksum = 1;
    private const byte TcpV4 = 1;
    private const ushort SegmentSize = 1448;
    private const ushort SourcePort = 40_000;
    private const ushort MirrorPort = 7;

    /// <param name="frameSize">Bytes from the Ethernet header on.</param>
    public static byte[] Build(string guestMac, string source, string target, int frameSize)
    {
        byte[] packet = new byte[Ethernet + frameSize];
        new Random(frameSize).NextBytes(packet.AsSpan(Payload));
        packet[0] = NeedsChecksum;
        packet[1] = TcpV4;
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(2), Payload - Ethernet);
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(4), SegmentSize);
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(6), Tcp - Ethernet);
        BinaryPrimitives.WriteUInt16LittleEndian(packet.AsSpan(8), 16);

        MacAddress.TryParse(guestMac, out MacAddress guest).Should().BeTrue();
        guest.CopyTo(packet.AsSpan(Ethernet));
        new MacAddress(0x0200_0000_0063).CopyTo(packet.AsSpan(Ethernet + 6));
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Ethernet + 12), 0x0800);

        packet[Ip] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Ip + 2), (ushort)(frameSize - 14));
        packet[Ip + 8] = 64;
        packet[Ip + 9] = 6;
        IPAddress.Parse(source).TryWriteBytes(packet.AsSpan(Ip + 12), out _);
        IPAddress.Parse(target).TryWriteBytes(packet.AsSpan(Ip + 16), out _);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Ip + 10), (ushort)~Sum(packet.AsSpan(Ip, 20)));

        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Tcp), SourcePort);
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Tcp + 2), MirrorPort);
        packet[Tcp + 12] = 5 << 4;
        packet[Tcp + 13] = 0x10; // ACK
        BinaryPrimitives.WriteUInt16BigEndian(packet.AsSpan(Tcp + 16), PseudoHeaderSum(packet));
        return packet;
    }

    public static bool IsTcp(ReadOnlySpan<byte> packet)
        => packet.Length > Payload && BinaryPrimitives.ReadUInt16BigEndian(packet[(Ethernet + 12)..]) == 0x0800 && packet[Ip + 9] == 6
            && BinaryPrimitives.ReadUInt16BigEndian(packet[Tcp..]) == MirrorPort;

    /// <summary>The same payload, addresses and ports exchanged, still one frame to be segmented, and both checksums right.</summary>
    public static void ExpectMirrored(byte[] sent, byte[] received)
    {
        received.Length.Should().Be(sent.Length);
        received[0].Should().Be(NeedsChecksum);
        received[1].Should().Be(TcpV4);
        BinaryPrimitives.ReadUInt16LittleEndian(received.AsSpan(4)).Should().Be(SegmentSize);
        BinaryPrimitives.ReadUInt16LittleEndian(received.AsSpan(6)).Should().Be(Tcp - Ethernet);
        BinaryPrimitives.ReadUInt16LittleEndian(received.AsSpan(8)).Should().Be(16);
        received.AsSpan(Ip + 12, 4).ToArray().Should().Equal(sent.AsSpan(Ip + 16, 4).ToArray());
        received.AsSpan(Ip + 16, 4).ToArray().Should().Equal(sent.AsSpan(Ip + 12, 4).ToArray());
        BinaryPrimitives.ReadUInt16BigEndian(received.AsSpan(Tcp + 2)).Should().Be(SourcePort);
        received.AsSpan(Payload).SequenceEqual(sent.AsSpan(Payload)).Should().BeTrue("the payload must not change");
        Sum(received.AsSpan(Ip, 20)).Should().Be(0xFFFF, "the IPv4 header's checksum must be right");
        BinaryPrimitives.ReadUInt16BigEndian(received.AsSpan(Tcp + 16)).Should().Be(PseudoHeaderSum(received), "that is where the segments' checksums begin");
    }

    /// <summary>What stands in the checksum field of a segment whose checksum is still to be completed.</summary>
    private static ushort PseudoHeaderSum(ReadOnlySpan<byte> packet)
    {
        Span<byte> pseudo = stackalloc byte[12];
        packet.Slice(Ip + 12, 8).CopyTo(pseudo);
        pseudo[9] = 6;
        BinaryPrimitives.WriteUInt16BigEndian(pseudo[10..], (ushort)(packet.Length - Tcp));
        return Sum(pseudo);
    }

    /// <summary>The one's complement sum (RFC 1071), not inverted.</summary>
    private static ushort Sum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (; data.Length >= 2; data = data[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(data);
        }

        sum = (sum >> 16) + (sum & 0xFFFF);
        return (ushort)(sum + (sum >> 16));
    }
}
