using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class TapOffloadTests
{
    private const NetworkOffloads Tso = NetworkOffloads.Checksum | NetworkOffloads.Tso4 | NetworkOffloads.Tso6;

    [Theory]
    [InlineData(NetworkOffloads.None, NetworkOffloads.None)]
    [InlineData(NetworkOffloads.Tso4 | NetworkOffloads.Tso6, NetworkOffloads.None)]
    [InlineData(NetworkOffloads.Checksum | NetworkOffloads.TsoEcn, NetworkOffloads.Checksum)]
    [InlineData(NetworkOffloads.Checksum | NetworkOffloads.Uso4, NetworkOffloads.Checksum)]
    [InlineData(NetworkOffloads.Checksum | NetworkOffloads.Ufo, NetworkOffloads.Checksum | NetworkOffloads.Ufo)]
    [InlineData(Tso | NetworkOffloads.TsoEcn, Tso | NetworkOffloads.TsoEcn)]
    internal void Normalize_Offloads_KernelTakesThem(NetworkOffloads asked, NetworkOffloads taken) => TapOffloads.Normalize(asked).Should().Be(taken);

    [TapFact]
    public void SetOffloads_AnySubset_IsTaken()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        tap.SupportedOffloads.Should().HaveFlag(TapOffloads.Base);
        for (uint bits = 0; bits < 128; bits++)
        {
            tap.SetOffloads((NetworkOffloads)bits);
        }
    }

    [TapFact]
    public void SupportedOffloads_AdoptedByVersion_SameAsTried()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using TapBackend adopted = TapBackend.Adopt(PersistentTap.Detach(tap.Descriptors[0]));
        adopted.SupportedOffloads.Should().Be(tap.SupportedOffloads);
    }

    [TapFact]
    public void MaxFrameSize_FollowsOffloadsAndMtu()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(new TapOptions { Name = "t0", Mtu = 1500 });
        tap.GetQueue(0).MaxFrameSize.Should().Be(12 + 14 + 8 + 1500);
        tap.SetOffloads(NetworkOffloads.Checksum);
        tap.GetQueue(0).MaxFrameSize.Should().Be(1534);
        tap.SetOffloads(Tso);
        tap.GetQueue(0).MaxFrameSize.Should().Be(12 + 65535 + 4);
        tap.SetOffloads(NetworkOffloads.None);
        tap.GetQueue(0).MaxFrameSize.Should().Be(1534);
        using TapBackend jumbo = network.OpenTap(new TapOptions { Name = "t1", Mtu = 65521 });
        jumbo.GetQueue(0).MaxFrameSize.Should().Be(12 + 14 + 8 + 65521);
    }

    [TapFact]
    public void Receive_LargestSegmentedFrame_ComesWhole()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        using Frames frames = new();
        tap.SetOffloads(Tso);
        foreach (int length in (int[])[1515, 9000, 65535])
        {
            host.Send(TcpFrame.ToSegment(length, 1448));
            int received = TcpFrame.Receive(tap.GetQueue(0), frames);
            received.Should().Be(length);
            frames.Bytes[0].Should().Be(1, "the checksum is to be filled in");
            frames.Bytes[1].Should().Be(1, "VIRTIO_NET_HDR_GSO_TCPV4");
            BinaryPrimitives.ReadUInt16LittleEndian(frames.Bytes[4..]).Should().Be(1448);
        }
    }

    [TapFact]
    public void Receive_AboveGsoMaxSizeOrWithoutOffload_KernelSegments()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        using Frames frames = new();
        foreach ((NetworkOffloads offloads, int length) in ((NetworkOffloads, int)[])[(Tso, 65536), (NetworkOffloads.None, 65535), (NetworkOffloads.Checksum, 9000)])
        {
            tap.SetOffloads(offloads);
            host.Send(TcpFrame.ToSegment(length, 1448));
            int payload = 0;
            while (payload < length - TcpFrame.Headers)
            {
                int received = TcpFrame.Receive(tap.GetQueue(0), frames);
                received.Should().BeInRange(TcpFrame.Headers + 1, TcpFrame.Headers + 1448);
                frames.Bytes[1].Should().Be(0);
                payload += received - TcpFrame.Headers;
            }

            payload.Should().Be(length - TcpFrame.Headers);
        }
    }

    [TapFact]
    public void Transmit_FrameToSegment_ReachesHostWhole()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        using Frames frames = new();
        byte[] frame = TcpFrame.ToSegment(65535, 1448);
        frames.Bytes[..12].Clear();
        frame.AsSpan(0, 10).CopyTo(frames.Bytes);
        frame.AsSpan(10).CopyTo(frames.Ethernet);
        tap.GetQueue(0).Transmit(frames.Use(12 + 65535)).Should().Be(12 + 65535);
        byte[] received = host.Receive();
        received.Length.Should().Be(10 + 65535);
        received[1].Should().Be(1);
        received.AsSpan(10).SequenceEqual(frame.AsSpan(10)).Should().BeTrue();
    }

    [TapFact]
    public void Receive_UdpSegmentation_OneFrameWithUso()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(hostAddress: "10.1.0.1");
        Assert.SkipUnless(tap.SupportedOffloads.HasFlag(TapOffloads.Uso), "the kernel has no TUN_F_USO4 (Linux 6.2)");
        using Frames frames = new();
        using Socket socket = network.OpenUdp();
        socket.EnableBroadcast = true;
        socket.SetRawSocketOption(17, 103, BitConverter.GetBytes(1000)); // SOL_UDP, UDP_SEGMENT
        tap.SetOffloads(NetworkOffloads.Checksum | TapOffloads.Uso);
        socket.SendTo(new byte[10_000], new IPEndPoint(IPAddress.Parse("10.1.0.255"), 7));
        ReceiveUdp(tap.GetQueue(0), frames).Should().Be(14 + 20 + 8 + 10_000);
        (frames.Bytes[1], BinaryPrimitives.ReadUInt16LittleEndian(frames.Bytes[4..])).Should().Be(((byte)5, (ushort)1000), "VIRTIO_NET_HDR_GSO_UDP_L4");
        tap.SetOffloads(NetworkOffloads.Checksum);
        socket.SendTo(new byte[10_000], new IPEndPoint(IPAddress.Parse("10.1.0.255"), 7));
        for (int i = 0; i < 10; i++)
        {
            ReceiveUdp(tap.GetQueue(0), frames).Should().Be(14 + 20 + 8 + 1000);
        }
    }

    private static int ReceiveUdp(INetworkQueue queue, Frames frames)
    {
        while (NetworkReadiness.Wait(queue.Readiness!))
        {
            int length = queue.Receive(frames.Use(frames.Bytes.Length));
            if (length > 0 && frames.Ethernet[12] == 8 && frames.Ethernet[13] == 0 && frames.Ethernet[14 + 9] == 17)
            {
                return length - 12;
            }
        }

        return 0;
    }
}
