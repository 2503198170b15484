using System.Net;
using System.Net.NetworkInformation;
using System.Net.Sockets;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using Vmm.Testing.Network;

namespace Vmm.Backends.Tap.Tests;

public sealed class NetworkNamespaceTests
{
    [TapFact]
    public void Create_Namespace_IsEmptyAndLoopbackWorks()
    {
        using NetworkNamespace network = NetworkNamespace.Create();
        network.Run(() => NetworkLink.Find("lo")!.IsUp).Should().BeTrue();
        network.Run(() => NetworkInterface.GetAllNetworkInterfaces().Select(i => i.Name)).Should().NotContain("eth0");
        using Socket receiver = network.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        using Socket sender = network.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Dgram, ProtocolType.Udp));
        receiver.Bind(new IPEndPoint(IPAddress.Loopback, 5000));
        sender.SendTo([1, 2, 3], new IPEndPoint(IPAddress.Loopback, 5000));
        byte[] bytes = new byte[10];
        receiver.Receive(bytes).Should().Be(3);
    }

    [TapFact]
    public void Run_FromManyThreads_IsOneAfterTheOther()
    {
        using NetworkNamespace network = NetworkNamespace.Create();
        int inside = 0;
        Parallel.For(0, 200, i => network.Run(() =>
        {
            Interlocked.Increment(ref inside).Should().Be(1);
            network.Run(() => i).Should().Be(i, "a nested call runs at once");
            Interlocked.Decrement(ref inside);
        }));
    }

    [TapFact]
    public void Run_Throws_ComesThroughAndNextRuns()
    {
        using NetworkNamespace network = NetworkNamespace.Create();
        network.Invoking(n => n.Run(() => throw new InvalidDataException("mine"))).Should().Throw<InvalidDataException>().WithMessage("mine");
        network.Run(() => 7).Should().Be(7);
    }

    [TapFact]
    public void Dispose_EndsTheThreadAndTheNamespace()
    {
        NetworkNamespace network = NetworkNamespace.Create();
        int thread = network.Run(Libc.gettid);
        Directory.Exists($"/proc/self/task/{thread}").Should().BeTrue();
        network.Dispose();
        network.Dispose();
        SpinWait.SpinUntil(() => !Directory.Exists($"/proc/self/task/{thread}"), 5000).Should().BeTrue();
        network.Invoking(n => n.Run(() => 1)).Should().Throw<ObjectDisposedException>();
    }

    [TapFact]
    public void Link_Settings_AreTaken()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap("t0");
        MacAddress address = new(0x0200_0000_0042);
        network.Namespace.Run(() =>
        {
            NetworkLink.SetUp("t0", up: false);
            NetworkLink.SetMtu("t0", 65521);
            NetworkLink.SetAddress("t0", address);
        });
        NetworkLinkInfo link = network.FindLink("t0")!;
        (link.IsUp, link.Mtu, link.Address, link.Name).Should().Be((false, 65521, address, "t0"));
        network.Namespace.Invoking(n => n.Run(() => NetworkLink.SetMtu("t0", 65522))).Should().Throw<LinuxException>().WithMessage("netlink on a request to set the MTU of t0 to 65522 failed*");
        network.Namespace.Invoking(n => n.Run(() => NetworkLink.SetUp("t1"))).Should().Throw<LinuxException>().WithMessage("netlink(RTM_GETLINK) on t1 failed: No such device*");
        network.FindLink("t1").Should().BeNull();
        network.FindLink("").Should().BeNull();
        network.FindLink(new string('x', 20)).Should().BeNull();
    }

    [TapFact]
    public void Link_Addresses_AreUsableAtOnce()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap("t0", hostAddress: "10.1.0.1");
        network.Namespace.Run(() => NetworkLink.AddIPAddress("t0", IPAddress.Parse("fd00::1"), 64));
        foreach (string text in (string[])["10.1.0.1", "fd00::1"])
        {
            IPAddress address = IPAddress.Parse(text);
            using Socket socket = network.OpenUdp(address.AddressFamily);
            socket.Bind(new IPEndPoint(address, 0));
        }

        network.Namespace.Invoking(n => n.Run(() => NetworkLink.AddIPAddress("t0", IPAddress.Parse("10.1.0.1"), 24))).Should().Throw<LinuxException>()
            .WithMessage("netlink on a request to add the address 10.1.0.1/24 to t0 failed: File exists*");
    }

    [TapFact]
    public void Datagram_WithChecksumToFillIn_ReachesSocket()
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap("t0", hostAddress: "10.1.0.1");
        using Socket socket = network.OpenUdp();
        socket.Bind(new IPEndPoint(IPAddress.Parse("10.1.0.1"), 7));
        socket.ReceiveTimeout = 5000;
        using Frames frames = new();
        frames.Bytes[..100].Clear();
        frames.Bytes[0] = 1;
        frames.Bytes[6] = 34;
        frames.Bytes[8] = 6;
        byte[] packet =
        [
            255, 255, 255, 255, 255, 255, 2, 0, 0, 0, 0, 2, 8, 0,
            0x45, 0, 0, 32, 0, 0, 0, 0, 64, 17, 0x66, 0xc9, 10, 1, 0, 2, 10, 1, 0, 1,
            0, 9, 0, 7, 0, 12, 0x14, 0x22, 1, 2, 3, 4,
        ];
        packet.CopyTo(frames.Ethernet);
        tap.GetQueue(0).Transmit(frames.Use(12 + packet.Length)).Should().Be(12 + packet.Length);
        byte[] received = new byte[100];
        EndPoint from = new IPEndPoint(IPAddress.Any, 0);
        socket.ReceiveFrom(received, ref from).Should().Be(4);
        received[..4].Should().Equal(1, 2, 3, 4);
        from.Should().Be(new IPEndPoint(IPAddress.Parse("10.1.0.2"), 9));
    }
}
