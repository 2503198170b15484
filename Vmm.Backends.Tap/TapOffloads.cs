using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

/// <summary>What the kernel's TUN driver makes of offload flags (drivers/net/tun.c, set_offload).</summary>
internal static class TapOffloads
{
    /// <summary>What every kernel since 2.6.27 takes. UFO is taken, and since Linux 4.14 no frame comes of it.</summary>
    public const NetworkOffloads Base =
        NetworkOffloads.Checksum | NetworkOffloads.Tso4 | NetworkOffloads.Tso6 | NetworkOffloads.TsoEcn | NetworkOffloads.Ufo;

    /// <summary>Since Linux 6.2, both or neither.</summary>
    public const NetworkOffloads Uso = NetworkOffloads.Uso4 | NetworkOffloads.Uso6;

    private const NetworkOffloads Segmentation = NetworkOffloads.Tso4 | NetworkOffloads.Tso6 | NetworkOffloads.Ufo | Uso;

    private const int EthernetHeader = 14;
    private const int VlanTag = 4;

    /// <summary>The largest MTU of a TAP: 65535 without its Ethernet header.</summary>
    private const int LargestMtu = 65535 - EthernetHeader;

    /// <summary>The largest subset that the kernel does not answer with EINVAL.</summary>
    public static NetworkOffloads Normalize(NetworkOffloads offloads)
    {
        if ((offloads & NetworkOffloads.Checksum) == 0)
        {
            return NetworkOffloads.None;
        }

        if ((offloads & Uso) != Uso)
        {
            offloads &= ~Uso;
        }

        return (offloads & (NetworkOffloads.Tso4 | NetworkOffloads.Tso6)) == 0 ? offloads & ~NetworkOffloads.TsoEcn : offloads;
    }

    /// <summary>
    /// The longest frame that the driver hands out, its 12-byte header included.
    /// </summary>
    /// <remarks>
    /// A plain frame: the MTU, the Ethernet header, a VLAN tag that the sender wrote (packet sockets and bridges let one pass above the
    /// MTU) and one that the kernel carries beside the frame and that the driver puts back (double tagging).
    /// A frame to be segmented: the kernel segments by itself what has gso_max_size bytes or more, Ethernet header included; that is
    /// 65,536 for a TAP (its tso_max_size, which can't be raised). So 65,535, and the VLAN tag beside it. In all 65,551, which fits the
    /// 65,562 bytes of receive buffers that virtio 1.2 section 5.1.6.3.1 asks of a driver.
    /// </remarks>
    public static int MaxFrameSize(NetworkOffloads offloads, int? mtu)
    {
        int plain = (mtu ?? LargestMtu) + EthernetHeader + 2 * VlanTag;
        int segments = (offloads & Segmentation) == 0 ? 0 : 65535 + VlanTag;
        return INetworkBackend.HeaderSize + Math.Max(plain, segments);
    }
}
