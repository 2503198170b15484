using System.Buffers.Binary;
using Vmm.Backends.Tap;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Network;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

/// <summary>The device on a real TAP whose rings the kernel runs; no vCPU is needed for that.</summary>
public sealed class VhostTests
{
    private const ulong Features = NetGuest.Control | VirtioFeatures.RingEventIndex | VirtioFeatures.RingIndirectDescriptors | VirtioFeatures.RingReset;

    public VhostTests()
    {
        Assert.SkipWhen(NetworkTestbed.Missing is not null, NetworkTestbed.Missing ?? "");
        Assert.SkipUnless(File.Exists("/dev/vhost-net"), "there is no /dev/vhost-net (modprobe vhost_net); the nested testbed has one");
    }

    [Theory]
    [InlineData(Features)]
    [InlineData(NetGuest.Mergeable)]
    [InlineData(NetGuest.Base)]
    public void Frames_BothWays_Arrive(ulong features)
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        guest.PostMany(0, 200, 2048);
        for (int i = 1; i <= 100; i++)
        {
            Exchange(guest, host, i, length: 60 + 14 * i);
        }

        (guest.Received.Frames, guest.Transmitted.Frames).Should().Be((0, 0), "none of them passed the device");
        (guest.Received.Interrupts > 0).Should().BeTrue();
    }

    [Fact]
    public void Transmit_SegmentationLeftToTheHost_ArrivesWhole()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features | VirtioNetFeatures.Checksum | VirtioNetFeatures.HostTso4);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0", vnetHeader: true);
        byte[] header = [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0];
        byte[] packet = TcpPacket(60_000);
        guest.Send([.. header, .. packet], 1, 12, 54, 4096, 4096);
        byte[] got = host.Receive(20_000);
        got[10..].Should().Equal(packet);
        got[..2].Should().Equal([1, 1]);
    }

    [Fact]
    public void Receive_NoBuffers_FramesWaitInTheTap()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        for (int i = 1; i <= 20; i++)
        {
            host.Send(NetGuest.Frame(200, i).AsSpan(12));
        }

        guest.PostMany(0, 60, 2048);
        for (int i = 1; i <= 20; i++)
        {
            Take(guest)[12..].Should().Equal(NetGuest.Frame(200, i)[12..]);
        }
    }

    [Fact]
    public void PauseResume_UnderTraffic_LosesAndDoublesNothing()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        for (int round = 1; round <= 100; round++)
        {
            guest.PostMany(0, 2, 2048);
            byte[] there = NetGuest.Frame(200, round);
            byte[] back = NetGuest.Frame(300, round, MacAddress.Broadcast);
            host.Send(there.AsSpan(12));
            guest.Send(back);
            guest.Driver.Transport.Pause();
            VirtqueueState receive = guest.Driver.Transport.GetQueue(0).State;
            receive.NextUsed.Should().Be(receive.NextAvailable, "nothing is taken and not used");
            guest.Driver.Transport.Resume();
            Take(guest)[12..].Should().Equal(there[12..]);
            host.Receive(20_000).Should().Equal(back[12..]);
        }
    }

    [Fact]
    public void Link_DownAndUp_TakesTheRingsAndGivesThemBack()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        guest.PostMany(0, 50, 2048);
        for (int i = 1; i <= 5; i++)
        {
            Exchange(guest, host, i);
            guest.Device.SetLink(false);
            guest.Send(NetGuest.Frame(60));
            NetGuest.WaitFor(() => guest.Transmitted.Dropped(DropReason.LinkDown) == i, "a frame without a cable is gone");
            guest.Device.SetLink(true);
        }

        Exchange(guest, host, 6);
    }

    [Fact]
    public void Pairs_SwitchedUnderTraffic_CarryItAllTheTime()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features | VirtioNetFeatures.MultiQueue, queues: 4);
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
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ResetQueue_ThenEnabled_CarriesTrafficAgain(int queue)
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        guest.PostMany(0, 10, 2048);
        Exchange(guest, host, 1);
        guest.Driver.Write(VirtioMmioRegister.QueueSel, (uint)queue);
        guest.Driver.Write(VirtioMmioRegister.QueueReset, 1);
        guest.Driver.Queues[queue].Clear();
        guest.Driver.SetUpQueue(queue);
        if (queue == 0)
        {
            guest.ForgetPosted(0);
            guest.PostMany(0, 10, 2048);
        }

        Exchange(guest, host, 2);
    }

    [Fact]
    public void Ring_IndexTooFarAhead_NeedsReset()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        guest.Driver.Memory.TryWrite(guest.Driver.Queues[1].AvailableRing + 2, (ushort)30_000);
        guest.Driver.Notify(1);
        ShouldNeedReset(guest, host);
    }

    [Fact]
    public void Ring_BufferOutsideOfRam_NeedsReset()
    {
        using NetworkTestbed network = new();
        using NetGuest guest = Start(network, Features);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        guest.Driver.Queues[1].Add([DriverBuffer.Readable(1ul << 40, 100)]);
        guest.Driver.Notify(1);
        ShouldNeedReset(guest, host);
    }

    private static void ShouldNeedReset(NetGuest guest, NetworkPacketSocket host)
    {
        NetGuest.WaitFor(() => (guest.Driver.Status & VirtioStatus.NeedsReset) != 0, "the driver is told");
        guest.Driver.Transport.GetQueue(1).State.Broken.Should().BeTrue();
        guest.Start(Features);
        guest.PostMany(0, 10, 2048);
        Exchange(guest, host, 3);
    }

    private static NetGuest Start(NetworkTestbed network, ulong features, int queues = 1)
    {
        TapBackend tap = network.Namespace.Run(() => TapBackend.Open(new NetworkDeviceOptions { Kind = NetworkBackendKind.Tap, IfName = "vmtap0", Queues = queues, Vhost = true }));
        NetGuest guest = new(tap, new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = queues });
        tap.UseMemory(guest.Driver.Memory);
        guest.Start(features);
        return guest;
    }

    private static void Exchange(NetGuest guest, NetworkPacketSocket host, int seed, int length = 200)
    {
        byte[] there = NetGuest.Frame(length, seed);
        host.Send(there.AsSpan(12));
        Take(guest)[12..].Should().Equal(there[12..]);
        byte[] back = NetGuest.Frame(length, seed, MacAddress.Broadcast);
        guest.Send(back);
        host.Receive(20_000).Should().Equal(back[12..]);
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
    }

    /// <summary>The next frame of ours: the kernel itself multicasts on a new interface.</summary>
    private static byte[] Take(NetGuest guest)
    {
        byte[] frame;
        do
        {
            frame = guest.TakeChain(0);
            guest.PostMany(0, 1, 2048);
        }
        while (MacAddress.Read(frame.AsSpan(12)) != NetGuest.Mac);

        return frame;
    }

    private static byte[] TcpPacket(int payload)
    {
        byte[] packet = NetGuest.Frame(54 + payload)[12..];
        Span<byte> ip = packet.AsSpan(14, 20);
        ip.Clear();
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(40 + payload));
        ip[8] = 64;
        ip[9] = 6;
        new byte[] { 10, 0, 0, 1, 10, 0, 0, 2 }.CopyTo(ip[12..]);
        Span<byte> tcp = packet.AsSpan(34, 20);
        tcp.Clear();
        tcp[12] = 0x50;
        return packet;
    }
}
