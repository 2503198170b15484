using System.Buffers.Binary;
using System.Diagnostics;
using Vmm.Backends.Tap;
using Vmm.Core.Network;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Network;

namespace Vmm.Devices.VirtioNet.Tests;

/// <summary>The device on a real TAP in a network namespace of the test's own; the peer is a packet socket on the host's side.</summary>
public sealed class TapTests
{
    private const ulong Offloads = NetGuest.Control | VirtioNetFeatures.Checksum | VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.HostTso4
        | VirtioNetFeatures.GuestTso4;

    private const int TcpHeaders = 14 + 20 + 20;

    // NEEDS_CSUM, TCPv4, 54 bytes of headers, segments of 1448, checksum at 34 + 16.
    private static readonly byte[] SegmentHeader = [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0];

    public TapTests() => Assert.SkipWhen(NetworkTestbed.Missing is not null, NetworkTestbed.Missing ?? "");

    [Theory]
    [InlineData(60)]
    [InlineData(1514)]
    public void Transmit_PlainFrame_ArrivesAtTheHost(int length)
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(Offloads, network.OpenTap());
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        byte[] frame = NetGuest.Frame(length, to: MacAddress.Broadcast);

        guest.Send(frame);

        host.Receive(20_000).Should().Equal(frame[12..]);
    }

    [Fact]
    public void Transmit_SegmentationLeftToTheHost_ArrivesWhole()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(Offloads, network.OpenTap());
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        byte[] packet = TcpPacket(60_000);

        guest.Send([.. SegmentHeader, 0, 0, .. packet], 1, 12, 54, 4096, 4096);

        byte[] got = host.Receive(20_000);
        got[10..].Should().Equal(packet);
        got[..2].Should().Equal([1, 1]);
        got[4..10].Should().Equal(SegmentHeader[4..]);
    }

    [Fact]
    public void Receive_SegmentationLeftToTheGuest_ArrivesWhole()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(Offloads, network.OpenTap());
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        guest.PostMany(0, 200, 1526);
        byte[] packet = TcpPacket(60_000);

        host.Send([.. SegmentHeader, .. packet]);

        byte[] got = TakeFrom(guest, 0);
        got[12..].Should().Equal(packet);
        got[..2].Should().Equal([1, 1]);
        BinaryPrimitives.ReadUInt16LittleEndian(got.AsSpan(4)).Should().Be(1448);
        got[10..12].Should().Equal([40, 0]);
    }

    [Fact]
    public void Receive_OffloadsNotNegotiated_ComesInChecksummedSegments()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(NetGuest.Base, network.OpenTap());
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        guest.PostMany(0, 200, 1526);
        byte[] packet = TcpPacket(14_480);

        host.Send([.. SegmentHeader, .. packet]);

        List<byte> payload = [];
        while (payload.Count < 14_480)
        {
            byte[] got = TakeFrom(guest, 0);
            got[..2].Should().Equal([0, 0], "the guest has negotiated nothing");
            TcpChecksum(got.AsSpan(12)).Should().Be(0, "the host has filled the checksum in");
            payload.AddRange(got.AsSpan(12 + TcpHeaders));
        }

        payload.Should().Equal(packet[TcpHeaders..]);
    }

    [Fact]
    public void Receive_NoBuffers_FramesWaitInTheTapInOrder()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(Offloads, network.OpenTap());
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        for (int i = 0; i < 300; i++)
        {
            host.Send(NetGuest.Frame(200, i).AsSpan(12));
        }

        NetGuest.WaitFor(() => guest.Received.Waits > 0, "the queue waits for buffers");
        for (int i = 0; i < 300; i++)
        {
            guest.PostMany(0, 1, 2048);
            TakeFrom(guest, 0)[12..].Should().Equal(NetGuest.Frame(200, i)[12..]);
        }

        guest.Received.TotalDropped.Should().Be(0);
    }

    [Fact]
    public void Pairs_SwitchedUnderTraffic_CarryItAllTheTime()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(
            NetGuest.Control | VirtioNetFeatures.MultiQueue,
            network.OpenTap(queues: 4),
            new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 4 });
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        for (int round = 0; round < 20; round++)
        {
            byte pairs = (byte)(round % 4 + 1);
            guest.Command(4, 0, pairs, 0).Should().Be(0);
            for (int i = 0; i < pairs; i++)
            {
                byte[] frame = NetGuest.Frame(300, round * 4 + i, MacAddress.Broadcast);
                guest.Send(frame, 2 * i + 1);
                host.Receive(20_000).Should().Equal(frame[12..], "pair {0} of {1} is active", i, pairs);
            }
        }

        // What comes back goes by the flow that the last frame of each queue has told the kernel: any queue will do.
        guest.Command(4, 0, 1, 0).Should().Be(0);
        guest.PostMany(0, 1, 2048);
        host.Send(NetGuest.Frame(200, 99).AsSpan(12));
        TakeFrom(guest, 0)[12..].Should().Equal(NetGuest.Frame(200, 99)[12..]);
    }

    [Fact]
    public void Interface_Deleted_DeviceRestsAndCanBeReset()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable, network.OpenTap());
        guest.PostMany(0, 4, 2048);
        network.Namespace.Run(() => NetworkLink.Delete("vmtap0"));

        NetGuest.WaitFor(() => guest.Received.Errors > 0, "the failed read is counted");
        guest.Send(NetGuest.Frame(100));
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue("the chain comes back although the frame goes nowhere");
        guest.Transmitted.Dropped(DropReason.Backend).Should().Be(1);
        long before = guest.Received.Errors;
        Thread.Sleep(50);
        (guest.Received.Errors - before).Should().BeLessThan(3, "the device does not try over and over");

        guest.Driver.Negotiate(NetGuest.Mergeable).Should().BeTrue();
    }

    /// <summary>The next frame of ours: the kernel itself multicasts on a new interface.</summary>
    private static byte[] TakeFrom(NetGuest guest, int queue)
    {
        long start = Stopwatch.GetTimestamp();
        while (Stopwatch.GetElapsedTime(start).TotalSeconds < 20)
        {
            byte[] frame = guest.TakeFrame(queue);
            if (MacAddress.Read(frame.AsSpan(12)) == NetGuest.Mac)
            {
                return frame;
            }

            guest.PostMany(queue, 1, 2048);
        }

        throw new TimeoutException("no frame of ours arrives");
    }

    private static byte[] TcpPacket(int payload)
    {
        byte[] packet = NetGuest.Frame(TcpHeaders + payload)[12..];
        Span<byte> ip = packet.AsSpan(14, 20);
        ip.Clear();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(40 + payload));
        ip[8] = 64;
        ip[9] = 6;
        new byte[] { 10, 0, 0, 1, 10, 0, 0, 2 }.CopyTo(ip[12..]);
        BinaryPrimitives.WriteUInt16BigEndian(ip[10..], (ushort)~Sum(ip, 0));
        Span<byte> tcp = packet.AsSpan(34, 20);
        tcp.Clear();
        tcp[1] = 7;
        tcp[3] = 7;
        tcp[12] = 0x50;
        tcp[13] = 0x10;

        // As a stack leaves it: the sum of the pseudo header, to be completed.
        BinaryPrimitives.WriteUInt16BigEndian(tcp[16..], Sum(ip[12..20], (uint)(6 + 20 + payload)));
        return packet;
    }

    /// <summary>0 when it is right.</summary>
    private static ushort TcpChecksum(ReadOnlySpan<byte> frame)
    {
        int length = BinaryPrimitives.ReadUInt16BigEndian(frame[16..]) - 20;
        return (ushort)~Sum(frame.Slice(34, length), Sum(frame.Slice(26, 8), (uint)(6 + length)));
    }

    private static ushort Sum(ReadOnlySpan<byte> bytes, uint start)
    {
        uint sum = start;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += i % 2 == 0 ? (uint)bytes[i] << 8 : bytes[i];
        }

        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)sum;
    }
}
