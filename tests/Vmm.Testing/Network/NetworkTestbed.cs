using System.Net;
using System.Net.Sockets;
using Vmm.Backends.Tap;
using Vmm.Core.Linux;

namespace Vmm.Testing.Network;

/// <summary>A network namespace of the test's own, TAPs in it, and the host's end of the wire: sockets of all kinds.</summary>
public sealed class NetworkTestbed : IDisposable
{
    private static readonly Lazy<string?> _missing = new(Probe);

    /// <summary>Why this machine can't run such a test (no privilege, no /dev/net/tun), or null: <c>Assert.SkipWhen(...)</c>.</summary>
    public static string? Missing => _missing.Value;

    public NetworkNamespace Namespace { get; } = NetworkNamespace.Create("testnet");

    /// <summary>A TAP that goes with its back end, up.</summary>
    public TapBackend OpenTap(string name = "vmtap0", int queues = 1, string? hostAddress = null, int prefixLength = 24)
        => OpenTap(new TapOptions { Name = name, Queues = queues, Mode = TapOpenMode.CreateNew }, hostAddress, prefixLength);

    /// <param name="hostAddress">The host's IP address on the interface, or null for none.</param>
    public TapBackend OpenTap(TapOptions options, string? hostAddress = null, int prefixLength = 24) => Namespace.Run(() =>
    {
        TapBackend tap = TapBackend.Open(options);
        if (hostAddress is not null)
        {
            NetworkLink.AddIPAddress(tap.InterfaceName, IPAddress.Parse(hostAddress), prefixLength);
        }

        return tap;
    });

    public NetworkLinkInfo? FindLink(string name) => Namespace.Run(() => NetworkLink.Find(name));

    /// <summary>The host's end of a TAP, frame by frame.</summary>
    public NetworkPacketSocket OpenPacketSocket(string interfaceName, bool vnetHeader = false)
        => Namespace.Run(() => new NetworkPacketSocket(NetworkLink.Find(interfaceName)!.Index, vnetHeader));

    public Socket OpenUdp(AddressFamily family = AddressFamily.InterNetwork)
        => Namespace.Run(() => new Socket(family, SocketType.Dgram, ProtocolType.Udp));

    public Socket OpenTcp(AddressFamily family = AddressFamily.InterNetwork)
        => Namespace.Run(() => new Socket(family, SocketType.Stream, ProtocolType.Tcp));

    /// <summary>Raw ICMP: what is sent begins with the ICMP header, what is received with the IP header.</summary>
    public Socket OpenIcmp() => Namespace.Run(() => new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp));

    public void Dispose() => Namespace.Dispose();

    private static string? Probe()
    {
        try
        {
            using NetworkTestbed network = new();
            using TapBackend tap = network.OpenTap();
            return null;
        }
        catch (LinuxException e)
        {
            return e.Message;
        }
    }
}
