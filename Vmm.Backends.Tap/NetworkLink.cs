using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.RouteMessage;

namespace Vmm.Backends.Tap;

/// <summary>
/// Interfaces of the calling thread's network namespace: what <c>ip link</c> and <c>ip address</c> do, without the tool (rtnetlink(7)).
/// Changes need CAP_NET_ADMIN in that namespace.
/// </summary>
public static class NetworkLink
{
    private const ushort IFLA_ADDRESS = 1;
    private const ushort IFLA_IFNAME = 3;
    private const ushort IFLA_MTU = 4;
    private const ushort IFLA_LINKINFO = 18;
    private const ushort IFLA_EXT_MASK = 29;
    private const ushort IFLA_CARRIER = 33;
    private const ushort IFLA_INFO_KIND = 1;
    private const ushort IFLA_INFO_DATA = 2;
    private const ushort IFLA_TUN_OWNER = 1;
    private const ushort IFLA_TUN_TYPE = 3;
    private const ushort IFLA_TUN_PI = 4;
    private const ushort IFLA_TUN_MULTI_QUEUE = 7;
    private const ushort IFLA_TUN_NUM_QUEUES = 8;
    private const ushort IFLA_TUN_NUM_DISABLED_QUEUES = 9;
    private const ushort IFA_ADDRESS = 1;
    private const ushort IFA_LOCAL = 2;
    private const ushort IFA_FLAGS = 8;
    private const uint IFA_F_NODAD = 2;
    private const uint RTEXT_FILTER_SKIP_STATS = 8;
    private const uint IFF_UP = 1;
    private const int RequestSize = 256;

    /// <summary>Null when there is none of that name.</summary>
    public static NetworkLinkInfo? Find(string name)
    {
        if (name.Length is 0 or >= Tun.IFNAMSIZ)
        {
            return null;
        }

        using RouteSocket socket = new();
        RouteMessage request = new(stackalloc byte[RequestSize], RTM_GETLINK, NLM_F_REQUEST);
        request.AddLink(0);
        request.AddAttribute(IFLA_EXT_MASK, RTEXT_FILTER_SKIP_STATS);
        request.AddAttribute(IFLA_IFNAME, Encoding.UTF8.GetBytes(name + '\0'));
        int result = socket.Request(request.Finish(), out ReadOnlySpan<byte> answer);
        return result == -LibC.ENODEV ? null
            : result < 0 ? throw new LinuxException("netlink(RTM_GETLINK)", name, -result)
            : Parse(answer);
    }

    public static void SetUp(string name, bool up = true)
    {
        RouteMessage request = Change(name, stackalloc byte[RequestSize], up ? IFF_UP : 0, IFF_UP);
        Send(request, $"set {name} {(up ? "up" : "down")}");
    }

    /// <param name="mtu">Bytes, 68 to 65,521 for a TAP.</param>
    public static void SetMtu(string name, int mtu)
    {
        RouteMessage request = Change(name, stackalloc byte[RequestSize]);
        request.AddAttribute(IFLA_MTU, (uint)mtu);
        Send(request, $"set the MTU of {name} to {mtu}");
    }

    public static void SetAddress(string name, MacAddress address)
    {
        Span<byte> bytes = stackalloc byte[MacAddress.Length];
        address.CopyTo(bytes);
        RouteMessage request = Change(name, stackalloc byte[RequestSize]);
        request.AddAttribute(IFLA_ADDRESS, bytes);
        Send(request, $"set the address of {name} to {address}");
    }

    /// <summary>Gives the interface an IPv4 or IPv6 address; an IPv6 one is usable at once (no duplicate address detection).</summary>
    public static void AddIPAddress(string name, IPAddress address, int prefixLength)
    {
        bool v4 = address.AddressFamily == AddressFamily.InterNetwork;
        byte[] bytes = address.GetAddressBytes();
        RouteMessage request = new(stackalloc byte[RequestSize], RTM_NEWADDR, NLM_F_REQUEST | NLM_F_ACK | NLM_F_CREATE | NLM_F_EXCL);
        request.AddAddress((byte)(v4 ? LibC.AF_INET : LibC.AF_INET6), checked((byte)prefixLength), IndexOf(name));
        request.AddAttribute(IFA_LOCAL, bytes);
        request.AddAttribute(IFA_ADDRESS, bytes);
        request.AddAttribute(IFA_FLAGS, IFA_F_NODAD);
        Send(request, $"add the address {address}/{prefixLength} to {name}");
    }

    public static void Delete(string name)
    {
        RouteMessage request = new(stackalloc byte[RequestSize], RTM_DELLINK, NLM_F_REQUEST | NLM_F_ACK);
        request.AddLink(IndexOf(name));
        Send(request, $"delete {name}");
    }

    private static RouteMessage Change(string name, Span<byte> buffer, uint flags = 0, uint change = 0)
    {
        RouteMessage request = new(buffer, RTM_NEWLINK, NLM_F_REQUEST | NLM_F_ACK);
        request.AddLink(IndexOf(name), flags, change);
        return request;
    }

    private static void Send(RouteMessage request, string purpose)
    {
        using RouteSocket socket = new();
        int result = socket.Request(request.Finish(), out _);
        if (result < 0)
        {
            throw new LinuxException(
                "netlink", $"a request to {purpose}", -result,
                result == -LibC.EPERM ? "It needs CAP_NET_ADMIN: run as root, or in a namespace of your own." : null);
        }
    }

    private static int IndexOf(string name)
        => Find(name)?.Index ?? throw new LinuxException("netlink(RTM_GETLINK)", name, LibC.ENODEV);

    private static NetworkLinkInfo Parse(ReadOnlySpan<byte> answer)
    {
        NetworkLinkInfo info = new()
        {
            Name = "",
            Index = MemoryMarshal.Read<int>(answer[4..]),
            IsUp = (MemoryMarshal.Read<uint>(answer[8..]) & IFF_UP) != 0,
        };
        ReadOnlySpan<byte> attributes = answer[16..];
        while (TryTake(ref attributes, out ushort type, out ReadOnlySpan<byte> value))
        {
            info = type switch
            {
                IFLA_IFNAME => info with { Name = Text(value) },
                IFLA_MTU => info with { Mtu = MemoryMarshal.Read<int>(value) },
                IFLA_ADDRESS when value.Length == MacAddress.Length => info with { Address = MacAddress.Read(value) },
                IFLA_CARRIER => info with { HasCarrier = value[0] != 0 },
                IFLA_LINKINFO => ParseKind(info, value),
                _ => info,
            };
        }

        return info;
    }

    private static NetworkLinkInfo ParseKind(NetworkLinkInfo info, ReadOnlySpan<byte> attributes)
    {
        while (TryTake(ref attributes, out ushort type, out ReadOnlySpan<byte> value))
        {
            // ORDER: the kernel puts the kind before the data, whose attribute numbers mean something else for another kind.
            info = type switch
            {
                IFLA_INFO_KIND => info with { Kind = Text(value) },
                IFLA_INFO_DATA when info.Kind == "tun" => ParseTun(info, value),
                _ => info,
            };
        }

        return info;
    }

    private static NetworkLinkInfo ParseTun(NetworkLinkInfo info, ReadOnlySpan<byte> attributes)
    {
        while (TryTake(ref attributes, out ushort type, out ReadOnlySpan<byte> value))
        {
            info = type switch
            {
                IFLA_TUN_TYPE => info with { TunType = (TunType)value[0] },
                IFLA_TUN_PI => info with { TunPacketInfo = value[0] != 0 },
                IFLA_TUN_MULTI_QUEUE => info with { TunMultiQueue = value[0] != 0 },
                IFLA_TUN_OWNER => info with { TunOwner = MemoryMarshal.Read<uint>(value) },
                IFLA_TUN_NUM_QUEUES or IFLA_TUN_NUM_DISABLED_QUEUES => info with { TunQueues = info.TunQueues + MemoryMarshal.Read<int>(value) },
                _ => info,
            };
        }

        return info;
    }

    private static string Text(ReadOnlySpan<byte> value) => Encoding.UTF8.GetString(value.TrimEnd((byte)0));
}
