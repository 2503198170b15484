using System.Net;
using System.Net.Sockets;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary>The demo guest on a real TAP, spoken to by the host's own network stack.</summary>
public sealed class TrafficTests
{
    private const int Many = 100_000;
    private const int Window = 64;

    /// <summary>MAC, MRG_RXBUF, STATUS, INDIRECT_DESC, EVENT_IDX: nothing that lets a checksum be left out or a frame be segmented later.</summary>
    private const ulong WithoutOffloads = 1ul << 5 | 1ul << 15 | 1ul << 16 | 1ul << 28 | 1ul << 29;

    private static readonly TimeSpan _patience = TimeSpan.FromSeconds(20);

    public TrafficTests() => Host.RequireNetwork();

    private static IPEndPoint EchoPort { get; } = new(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort);

    [Fact]
    public void Icmp_Flood_IsAnsweredWithoutLoss()
    {
        using GuestOnTap guest = GuestOnTap.Start();
        using IcmpEchoClient client = guest.Open(() => new IcmpEchoClient(GuestOnTap.GuestAddress));

        ExpectClean(client.Run(Many, Window, 56, _patience), Many);

        guest.RequestStatus().IcmpEchoes.Should().BeGreaterThanOrEqualTo(Many);
    }

    [Fact]
    public void Udp_Flood_IsAnsweredWithoutLoss()
    {
        using GuestOnTap guest = GuestOnTap.Start();
        using UdpEchoClient client = guest.Open(() => new UdpEchoClient(EchoPort));

        ExpectClean(client.Run(Many, Window, 64, _patience), Many);

        DemoGuestStatus status = guest.RequestStatus();
        status.UdpEchoes.Should().BeGreaterThanOrEqualTo(Many);
        status.CheckErrors.Should().Be(0);
    }

    [Fact]
    public void Flood_OneThreadForAllQueues_IsAnsweredWithoutLoss()
    {
        using GuestOnTap guest = GuestOnTap.Start("queues=2,iothread=shared");
        using UdpEchoClient client = guest.Open(() => new UdpEchoClient(EchoPort));

        ExpectClean(client.Run(10_000, Window, 1400, _patience), 10_000);
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Frames_Of60To65535Bytes_ComeBackWithRightChecksums(bool offloads)
    {
        // 14 + 65,521 = 65,535. Without offloads each checksum is in the frame, and the host's stack verifies it.
        using GuestOnTap guest = GuestOnTap.Start("mtu=65521", offloads ? "" : $"features=0x{WithoutOffloads:x}");
        using UdpEchoClient udp = guest.Open(() => new UdpEchoClient(EchoPort));
        using IcmpEchoClient icmp = guest.Open(() => new IcmpEchoClient(GuestOnTap.GuestAddress));

        foreach (int frame in (int[])[60, 61, 127, 1513, 1514, 1515, 4096, 9014, 32_768, 65_534, 65_535])
        {
            ExpectClean(udp.Run(20, 4, frame - 42, _patience), 20, $"UDP in frames of {frame} bytes");
            ExpectClean(icmp.Run(20, 4, frame - 42, _patience), 20, $"ICMP in frames of {frame} bytes");
        }
    }

    [Fact]
    public void Datagrams_OfManyFragments_ComeBackWhole()
    {
        using GuestOnTap guest = GuestOnTap.Start();
        using UdpEchoClient client = guest.Open(() => new UdpEchoClient(EchoPort));

        ExpectClean(client.Run(200, 2, 65_507, _patience), 200);
    }

    [Fact]
    public void TcpSegmentation_BothWays_KeepsPayloadAndChecksum()
    {
        const string GuestMac = "52:54:00:12:34:56";
        using GuestOnTap guest = GuestOnTap.Start($"mac={GuestMac}");
        using Testing.Network.NetworkPacketSocket wire = guest.Network.OpenPacketSocket(GuestOnTap.Interface, vnetHeader: true);

        foreach (int frameSize in (int[])[3000, 20_000, 65_535])
        {
            byte[] sent = SegmentedTcpFrame.Build(GuestMac, "10.0.0.99", GuestOnTap.GuestAddress.ToString(), frameSize);
            wire.Send(sent);

            byte[] received = wire.Receive(5000);
            while (received.Length > 0 && !SegmentedTcpFrame.IsTcp(received))
            {
                received = wire.Receive(5000);
            }

            SegmentedTcpFrame.ExpectMirrored(sent, received);
        }
    }

    [Fact]
    public void UdpSegmentation_FromASocket_ReachesTheGuestWholeAndComesBack()
    {
        const int Segment = 1400;
        const int Segments = 40;
        const int UDP_SEGMENT = 103;
        using GuestOnTap guest = GuestOnTap.Start();
        ulong before = guest.RequestStatus().ReceivedFrames;
        using Socket socket = guest.Network.OpenUdp();
        socket.ReceiveBufferSize = 1 << 20;
        socket.ReceiveTimeout = 5000;
        socket.Connect(EchoPort);
        try
        {
            socket.SetRawSocketOption(17, UDP_SEGMENT, BitConverter.GetBytes(Segment));
        }
        catch (SocketException)
        {
            Assert.Skip("This kernel has no UDP_SEGMENT.");
        }

        byte[] payload = new byte[Segment * Segments];
        new Random(7).NextBytes(payload);
        socket.Send(payload).Should().Be(payload.Length);

        byte[] datagram = new byte[65_535];
        for (int i = 0; i < Segments; i++)
        {
            int length = socket.Receive(datagram);
            datagram.AsSpan(0, length).ToArray().Should().Equal(payload.AsSpan(i * Segment, Segment).ToArray(), $"segment {i}");
        }

        // It was one frame, if host and guest have agreed on it (VIRTIO_NET_F_GUEST_USO4, bit 54).
        DemoGuestStatus status = guest.RequestStatus();
        if ((status.Features >> 54 & 1) != 0)
        {
            (status.ReceivedFrames - before).Should().BeLessThan(Segments / 2);
        }
    }

    [Fact]
    public void FourQueuePairs_CarryTrafficOnAll()
    {
        using GuestOnTap guest = GuestOnTap.Start("queues=4");
        for (int flow = 0; flow < 64; flow++)
        {
            using UdpEchoClient client = guest.Open(() => new UdpEchoClient(EchoPort));
            ExpectClean(client.Run(50, 8, 200, _patience), 50);
        }

        DemoGuestStatus status = guest.RequestStatus();
        status.QueuePairs.Should().Be(4);
        status.PairReceived.Take(4).Should().OnlyContain(frames => frames > 0);
        status.PairSent.Take(4).Should().OnlyContain(frames => frames > 0);

        // The device's own counters agree.
        const int SIGUSR1 = 10;
        guest.Process.Signal(SIGUSR1);
        guest.Process.WaitForError("net0 control: ");
        guest.Process.Error.Should().NotContain("receive 0 frames").And.NotContain("transmit 0 frames").And.Contain("0 faults").And.MatchRegex(@"net0 control: [1-9]\d* commands, 0 refused, \d+ interrupts");
    }

    [Fact]
    public void TwoCards_BothAnswer()
    {
        using GuestOnTap guest = GuestOnTap.Start("", "ip1=10.0.1.2", "--net", "tap,ifname=t1");
        guest.Network.Namespace.Run(() => Backends.Tap.NetworkLink.AddIPAddress("t1", IPAddress.Parse("10.0.1.1"), 24));
        using UdpEchoClient first = guest.Open(() => new UdpEchoClient(EchoPort));
        using UdpEchoClient second = guest.Open(() => new UdpEchoClient(new IPEndPoint(IPAddress.Parse("10.0.1.2"), DemoGuestStatus.EchoPort)));

        ExpectClean(first.Run(1000, 16, 100, _patience), 1000);
        ExpectClean(second.Run(1000, 16, 100, _patience), 1000);
    }

    private static void ExpectClean(EchoReport report, int count, string because = "")
    {
        report.Sent.Should().Be(count, because);
        report.Lost.Should().Be(0, because);
        report.Corrupted.Should().Be(0, because);
        report.Duplicated.Should().Be(0, because);
    }
}
