namespace Vmm.DemoGuest.Tests;

/// <summary>What the guest answers, byte by byte, over QEMU's virtio-net.</summary>
public sealed class QemuNetworkTests
{
    private static readonly byte[] Broadcast = [255, 255, 255, 255, 255, 255];

    [Theory]
    [InlineData("")]
    [InlineData("poll")]
    [InlineData("features=0x20")] // MAC alone
    [InlineData("ring=2")]
    public void Arp_RequestForTheGuest_IsAnswered(string options)
    {
        using QemuNetwork network = Start(options);

        byte[] reply = network.Exchange(QemuNetwork.Arp(
            QemuNetwork.HostMac, Broadcast, 1, QemuNetwork.HostAddress, new byte[6], QemuNetwork.GuestAddress));

        reply.Should().Equal(QemuNetwork.Arp(
            QemuNetwork.GuestMac, QemuNetwork.HostMac, 2, QemuNetwork.GuestAddress, QemuNetwork.HostMac, QemuNetwork.HostAddress));
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(56)]
    [InlineData(1472)]
    public void IcmpEcho_OfAnySize_ComesBackWithRightChecksum(int size)
    {
        using QemuNetwork network = Start("");
        byte[] request = [8, 0, 0, 0, 0x77, 0x88, 0, 1, .. Pattern(size)];
        ushort checksum = (ushort)~QemuNetwork.Sum(request);
        (request[2], request[3]) = ((byte)(checksum >> 8), (byte)checksum);

        byte[] reply = network.Exchange(QemuNetwork.Ip4(1, request));

        reply[..14].Should().Equal([.. QemuNetwork.HostMac, .. QemuNetwork.GuestMac, 8, 0]);
        QemuNetwork.Sum(reply.AsSpan(14, 20)).Should().Be(0xFFFF);
        QemuNetwork.Sum(reply.AsSpan(34)).Should().Be(0xFFFF);
        reply[34].Should().Be(0, "it is an echo reply");
        reply[38..].Should().Equal(request[4..]);
    }

    [Fact]
    public void UdpEcho_OfManyDatagrams_ComesBackInOrder()
    {
        using QemuNetwork network = Start("ring=8");
        for (int i = 0; i < 300; i++)
        {
            byte[] payload = [(byte)i, (byte)(i >> 8), .. Pattern(i)];

            byte[] reply = network.Exchange(QemuNetwork.Udp(DemoGuestStatus.EchoPort, payload));

            reply[34..38].Should().Equal(0, 7, 0x0F, 0xA0);
            reply[42..].Should().Equal(payload);
        }
    }

    [Fact]
    public void RawEcho_OfAFrame_SwapsMacAddressesOnly()
    {
        using QemuNetwork network = Start("");
        byte[] body = [0x88, 0xB5, .. Pattern(1000)];

        byte[] reply = network.Exchange([.. QemuNetwork.GuestMac, .. QemuNetwork.HostMac, .. body]);

        reply.Should().Equal([.. QemuNetwork.HostMac, .. QemuNetwork.GuestMac, .. body]);
    }

    [Fact]
    public void TcpSegment_ToTheEchoPort_IsMirrored()
    {
        using QemuNetwork network = Start("");
        byte[] segment = [0x0F, 0xA0, 0, 7, .. Pattern(16), .. Pattern(100)];

        byte[] reply = network.Exchange(QemuNetwork.Ip4(6, segment));

        reply[26..34].Should().Equal([.. QemuNetwork.GuestAddress, .. QemuNetwork.HostAddress]);
        reply[34..].Should().Equal([0, 7, 0x0F, 0xA0, .. segment[4..]]);
    }

    [Fact]
    public void Status_AfterTraffic_CountsIt()
    {
        using QemuNetwork network = Start("poll check=64K");
        network.Exchange(QemuNetwork.Udp(DemoGuestStatus.EchoPort, [1, 2, 3]));
        network.Exchange(QemuNetwork.Udp(DemoGuestStatus.EchoPort, [1, 2, 3]));
        network.Send(QemuNetwork.Udp(5000, [1]));

        DemoGuestStatus first = network.Status(0);
        DemoGuestStatus second = network.Status(DemoGuestStatus.ResetLongestGap);
        DemoGuestStatus third = network.Status(0);

        first.UdpEchoes.Should().Be(2);
        first.Dropped.Should().Be(1);
        first.StatusRequests.Should().Be(1);
        first.ReceivedFrames.Should().Be(4);
        first.SentFrames.Should().Be(3, "there were the announcement and two echoes");
        first.PairReceived[0].Should().Be(4);
        first.PairSent[0].Should().Be(3);
        first.IsPolling.Should().BeTrue();
        first.QueuePairs.Should().Be(1);
        first.CheckSize.Should().Be(64 << 10);
        second.UptimeTicks.Should().BeGreaterThan(first.UptimeTicks);
        second.LongestGapTicks.Should().BeGreaterThanOrEqualTo(first.LongestGapTicks);
        third.Iterations.Should().BeGreaterThan(second.Iterations);
        third.CheckErrors.Should().Be(0);
        third.ClockErrors.Should().Be(0);
    }

    [Fact]
    public void Idle_AfterAnInterrupt_Sleeps()
    {
        using QemuNetwork network = Start("check=64K");
        network.Exchange(QemuNetwork.Udp(DemoGuestStatus.EchoPort, [1, 2, 3]));
        DemoGuestStatus before = network.Status(0);

        Thread.Sleep(500);

        // A loop that does not sleep goes round tens of thousands of times meanwhile.
        (network.Status(0).Iterations - before.Iterations).Should().BeLessThan(1000);
    }

    [Fact]
    public void Gaps_OfAGuestThatSlept_AreOnItsList()
    {
        using QemuNetwork network = Start("check=64K");
        network.Status(0);
        Thread.Sleep(100);
        DemoGuestStatus status = network.Status(0);

        DemoGuestGaps gaps = network.Gaps();

        gaps.Count.Should().BePositive();
        gaps.Latest.Should().Contain(gap => gap.Length == status.LongestGapTicks);
        gaps.Latest.Should().OnlyContain(gap => gap.End >= gap.Length && gap.Length > 1 << 18);
    }

    private static QemuNetwork Start(string options)
    {
        string? missing = QemuGuest.Missing();
        Assert.SkipWhen(missing is not null, missing ?? "");
        return new QemuNetwork(options);
    }

    private static byte[] Pattern(int length)
    {
        byte[] bytes = new byte[length];
        new Random(length).NextBytes(bytes);
        return bytes;
    }
}
