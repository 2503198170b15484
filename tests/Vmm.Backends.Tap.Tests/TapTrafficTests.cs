using Tmds.Linux;
using Vmm.Core.Network;
using Vmm.Testing;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class TapTrafficTests
{
    [TapFact]
    public void Transmit_Frame_ReachesHostUnchanged()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        using Frames frames = new();
        tap.GetQueue(0).Transmit(frames.Write(60, 1)).Should().Be(72);
        tap.GetQueue(0).Transmit(frames.Write(1514, 2)).Should().Be(1526);
        host.Receive().Should().Equal(Frames.Make(60, 1));
        host.Receive().Should().Equal(Frames.Make(1514, 2));
    }

    [TapFact]
    public void Receive_Frame_HasZeroHeaderAndSameBytes()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        using Frames frames = new();
        foreach (int length in (int[])[18, 60, 1514])
        {
            host.Send(Frames.Make(length, (uint)length));
            frames.ReceiveOurs(tap.GetQueue(0)).Should().Be(length);
            frames.Ethernet[..length].ToArray().Should().Equal(Frames.Make(length, (uint)length));
            frames.Bytes[..10].ToArray().Should().OnlyContain(b => b == 0);
        }
    }

    [TapFact]
    public void Receive_NothingThere_ReturnsZero()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using Frames frames = new();
        while (frames.ReceiveOurs(tap.GetQueue(0), 50) != 0)
        {
        }

        tap.GetQueue(0).Receive(frames.Use(2000)).Should().Be(0);
    }

    [TapFact]
    public void Receive_TargetTooShort_CutsTheFrame()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        using Frames frames = new(100);
        host.Send(Frames.Make(1000, 9));
        frames.ReceiveOurs(tap.GetQueue(0)).Should().Be(88);
        frames.Ethernet[..88].ToArray().Should().Equal(Frames.Make(1000, 9)[..88]);
    }

    [TapFact]
    public void Transmit_LinkDown_ReturnsErrno()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using Frames frames = new();
        network.Namespace.Run(() => NetworkLink.SetUp("vmtap0", up: false));
        tap.GetQueue(0).Transmit(frames.Write(60, 1)).Should().Be(-LibC.EIO);
        network.Namespace.Run(() => NetworkLink.SetUp("vmtap0"));
        tap.GetQueue(0).Transmit(frames.Write(60, 1)).Should().Be(72);
    }

    [TapFact]
    public void Transmit_Malformed_ReturnsErrno()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using Frames frames = new();
        frames.Write(60, 1);
        tap.GetQueue(0).Transmit(frames.Use(11)).Should().Be(-LibC.EINVAL);
        tap.GetQueue(0).Transmit(frames.Use(12 + 13)).Should().Be(-LibC.EINVAL);
        frames.Bytes[1] = 77; // No such gso_type.
        tap.GetQueue(0).Transmit(frames.Use(72)).Should().Be(-LibC.EINVAL);
    }

    [TapFact]
    public void Traffic_InterfaceDeleted_ReturnsErrno()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using Frames frames = new();
        network.Namespace.Run(() => NetworkLink.Delete("vmtap0"));
        tap.GetQueue(0).Receive(frames.Use(2000)).Should().Be(-LibC.EBADFD);
        tap.GetQueue(0).Transmit(frames.Write(60, 1)).Should().Be(-LibC.EBADFD);
    }

    [TapFact]
    public void Traffic_Warm_AllocatesNothing()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        using Frames frames = new();
        using Frames sent = new();
        INetworkQueue queue = tap.GetQueue(0);
        byte[] frame = Frames.Make(1514, 3);
        sent.Write(1514, 4);
        int received = 0;
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            host.Send(frame);
            meter.Measure(() =>
            {
                received += queue.Receive(frames.List) > 0 ? 1 : 0;
                queue.Receive(frames.List);
                queue.Transmit(sent.List);
                _ = queue.MaxFrameSize;
            });
        }

        received.Should().BeGreaterThan(meter.Steps - 10);
        meter.Least.Should().Be(0);
    }
}
