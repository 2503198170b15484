using System.Net;
using System.Net.Sockets;
using Tmds.Linux;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class TapQueueTests
{
    [TapFact]
    public void Open_SeveralQueues_OnlyFirstIsAttached()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(queues: 4);
        Attached(tap).Should().Equal(true, false, false, false);
    }

    [TapFact]
    public void SetActiveQueues_AnyOrder_AttachesTheFirst()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(queues: 4);
        foreach (int count in (int[])[4, 4, 2, 3, 1, 1, 4])
        {
            tap.SetActiveQueues(count);
            Attached(tap).Should().Equal(Enumerable.Range(0, 4).Select(i => i < count));
        }
    }

    [TapFact]
    public void SetActiveQueues_SingleQueue_OneOnly()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap();
        tap.SetActiveQueues(1);
        tap.Invoking(t => t.SetActiveQueues(0)).Should().Throw<ArgumentOutOfRangeException>();
        tap.Invoking(t => t.SetActiveQueues(2)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [TapFact]
    public void Queues_ManyFlows_ArriveOnAllActive()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(queues: 4, hostAddress: "10.1.0.1");
        using Frames frames = new();
        foreach (int active in (int[])[4, 2, 1])
        {
            tap.SetActiveQueues(active);
            SendFlows(network, 64);
            int[] counts = [.. Enumerable.Range(0, 4).Select(i => Drain(tap.GetQueue(i), frames))];
            counts[..active].Should().OnlyContain(c => c > 0);
            counts[active..].Sum().Should().Be(0);
        }
    }

    [TapFact]
    public void Transmit_EachQueue_ReachesHost()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(queues: 2);
        using NetworkPacketSocket host = network.OpenPacketSocket("vmtap0");
        using Frames frames = new();
        tap.GetQueue(1).Transmit(frames.Write(60, 1)).Should().Be(-LibC.EIO, "a detached queue carries nothing");
        tap.SetActiveQueues(2);
        for (int i = 0; i < 2; i++)
        {
            tap.GetQueue(i).Transmit(frames.Write(60, (uint)i)).Should().Be(72);
            host.Receive().Should().Equal(Frames.Make(60, (uint)i));
        }
    }

    private static bool[] Attached(TapBackend tap)
        => [.. tap.Descriptors.Select(d => (((TunDescriptor)d).TryGetInterface()!.Value.Flags & Tun.IFF_DETACH_QUEUE) == 0)];

    /// <summary>Broadcast datagrams of many flows, which the kernel spreads by their hash without asking for an address first.</summary>
    private static void SendFlows(NetworkTestbed network, int count)
    {
        for (int i = 0; i < count; i++)
        {
            using Socket socket = network.OpenUdp();
            socket.EnableBroadcast = true;
            socket.SendTo([1, 2, 3], new IPEndPoint(IPAddress.Parse("10.1.0.255"), 1000 + i));
        }
    }

    private static int Drain(INetworkQueue queue, Frames frames)
    {
        int count = 0;
        while (queue.Receive(frames.Use(2000)) > 0)
        {
            count++;
        }

        return count;
    }
}
