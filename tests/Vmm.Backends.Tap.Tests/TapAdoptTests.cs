using Tmds.Linux;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class TapAdoptTests
{
    private const ushort Good = Tun.IFF_TAP | Tun.IFF_NO_PI | Tun.IFF_VNET_HDR;

    [TapFact]
    public void Adopt_LiveTap_CarriesOnWithEverything()
    {
        using NetworkTestbed network = new();
        using TapBackend first = network.OpenTap(new TapOptions { Name = "t0", Queues = 2, Mtu = 4000 });
        first.SetActiveQueues(2);
        first.SetOffloads(NetworkOffloads.Checksum | NetworkOffloads.Tso4);
        int[] fds = [.. first.Descriptors.Select(PersistentTap.Detach)];
        using TapBackend second = TapBackend.Adopt(fds);
        first.Dispose();

        (second.InterfaceName, second.QueueCount, second.Mtu, second.IsPersistent).Should().Be(("t0", 2, 4000, false));
        second.HostAddress.Should().Be(network.FindLink("t0")!.Address);
        second.SupportedOffloads.Should().Be(first.SupportedOffloads);
        second.GetQueue(0).MaxFrameSize.Should().Be(65551, "the offloads that are on are not known");
        ((TunDescriptor)second.Descriptors[1]).TryGetInterface()!.Value.Flags.Should().Be(Good | Tun.IFF_MULTI_QUEUE);

        using NetworkPacketSocket host = network.OpenPacketSocket("t0");
        using Frames frames = new();
        second.GetQueue(1).Transmit(frames.Write(100, 5)).Should().Be(112);
        host.Receive().Should().Equal(Frames.Make(100, 5));
        second.SetActiveQueues(1);
        network.FindLink("t0")!.TunQueues.Should().Be(2);
    }

    [TapFact]
    public void Adopt_DetachedQueue_KnowsSo()
    {
        using NetworkTestbed network = new();
        using TapBackend first = network.OpenTap("t0", queues: 2);
        using TapBackend second = TapBackend.Adopt([.. first.Descriptors.Select(PersistentTap.Detach)]);
        second.SetActiveQueues(1); // Detaching twice would be EINVAL.
        second.SetActiveQueues(2);
        second.SetActiveQueues(2);
    }

    [TapFact]
    public void Adopt_ForeignSetup_GetsHeaderSizeAndNonBlocking()
    {
        using NetworkTestbed network = new();
        using TunDescriptor raw = network.Namespace.Run(() => PersistentTap.Attach("t0", Good));
        LibC.fcntl(raw.Number, LibC.F_SETFL, LibC.O_RDWR).Should().Be(0);
        raw.Get(Tun.TUNGETVNETHDRSZ, "TUNGETVNETHDRSZ", "t0").Should().Be(10);
        using TapBackend tap = TapBackend.Adopt(PersistentTap.Detach(raw));
        raw.Get(Tun.TUNGETVNETHDRSZ, "TUNGETVNETHDRSZ", "t0").Should().Be(12);
        (LibC.fcntl(raw.Number, LibC.F_GETFL) & LibC.O_NONBLOCK).Should().NotBe(0);
        tap.Mtu.Should().Be(1500);
    }

    [TapFact]
    public void Adopt_OutOfReach_ReadsMtuInItsNamespace()
    {
        using NetworkTestbed network = new();
        using NetworkTestbed other = new();
        using TapBackend first = network.OpenTap(new TapOptions { Name = "t0", Mtu = 2000 });
        using TapBackend sameName = other.OpenTap(new TapOptions { Name = "t0", Mtu = 3000 });
        using TapBackend adopted = other.Namespace.Run(() => TapBackend.Adopt(PersistentTap.Detach(first.Descriptors[0])));
        adopted.Mtu.Should().Be(2000);
    }

    [TapFact]
    public void Adopt_Wrong_SaysWhatItIs()
    {
        using NetworkTestbed network = new();
        using TunDescriptor unattached = TunDescriptor.Open();
        using TunDescriptor tun = Make(network, "a0", Tun.IFF_TUN | Tun.IFF_NO_PI | Tun.IFF_VNET_HDR);
        using TunDescriptor packetInfo = Make(network, "a1", Tun.IFF_TAP | Tun.IFF_VNET_HDR);
        using TunDescriptor noHeader = Make(network, "a2", Tun.IFF_TAP | Tun.IFF_NO_PI);
        using TunDescriptor single = Make(network, "a3", Good);
        using TunDescriptor many = Make(network, "a4", Good | Tun.IFF_MULTI_QUEUE);
        using TunDescriptor another = Make(network, "a5", Good | Tun.IFF_MULTI_QUEUE);
        using FileStream file = File.OpenRead("/dev/null");

        Failure(999).Should().Be("fd=999 is not an open descriptor: the starting process must pass it on (without close-on-exec).");
        Failure((int)file.SafeFileHandle.DangerousGetHandle()).Should().Contain(" is /dev/null, no TAP");
        Failure(unattached.Number).Should().Contain("without an interface");
        Failure(tun.Number).Should().Be($"fd={tun.Number} is a0, a TUN (IP packets), where a TAP (Ethernet frames, IFF_TAP) is needed; its flags are 0x5001.");
        Failure(packetInfo.Number).Should().Contain("is a1, attached without IFF_NO_PI");
        Failure(noHeader.Number).Should().Contain("is a2, attached without IFF_VNET_HDR, which is needed; its flags are 0x1002");
        Failure(single.Number, many.Number).Should().Contain("is a3, attached without IFF_MULTI_QUEUE, which 2 descriptors need");
        Failure(many.Number, another.Number).Should().Be($"fd={another.Number} belongs to a5 and fd={many.Number} to a4: give the queues of one interface.");
        Failure(many.Number, many.Number).Should().Contain("given twice");
        network.FindLink("a5").Should().NotBeNull("what could not be adopted is not closed");
    }

    private static TunDescriptor Make(NetworkTestbed network, string name, ushort flags) => network.Namespace.Run(() => PersistentTap.Attach(name, flags));

    private static string Failure(params int[] fds)
        => FluentActions.Invoking(() => TapBackend.Adopt(fds)).Should().Throw<NetworkBackendException>().Which.Message;
}
