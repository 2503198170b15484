using System.Runtime.InteropServices;

namespace Vmm.Backends.Tap;

/// <summary>The numbers of linux/if_tun.h and linux/sockios.h, under their C names.</summary>
internal static class Tun
{
    public const string DevicePath = "/dev/net/tun";

    /// <summary>TUNSETIFF makes at most so many queues for one interface (MAX_TAP_QUEUES).</summary>
    public const int MAX_TAP_QUEUES = 256;

    public const int IFNAMSIZ = 16;

    public const ushort IFF_TUN = 0x0001;
    public const ushort IFF_TAP = 0x0002;
    public const ushort IFF_MULTI_QUEUE = 0x0100;
    public const ushort IFF_ATTACH_QUEUE = 0x0200;
    public const ushort IFF_DETACH_QUEUE = 0x0400;
    public const ushort IFF_PERSIST = 0x0800;
    public const ushort IFF_NO_PI = 0x1000;
    public const ushort IFF_VNET_HDR = 0x4000;
    public const ushort IFF_TUN_EXCL = 0x8000;

    public const uint SIOCGIFHWADDR = 0x8927;

    private const uint WriteDirection = 1;
    private const uint ReadDirection = 2;

    public static readonly uint TUNSETIFF = Number(WriteDirection, 202, sizeof(int));
    public static readonly uint TUNSETPERSIST = Number(WriteDirection, 203, sizeof(int));
    public static readonly uint TUNSETOWNER = Number(WriteDirection, 204, sizeof(int));
    public static readonly uint TUNSETOFFLOAD = Number(WriteDirection, 208, sizeof(uint));
    public static readonly uint TUNGETIFF = Number(ReadDirection, 210, sizeof(uint));
    public static readonly uint TUNGETSNDBUF = Number(ReadDirection, 211, sizeof(int));
    public static readonly uint TUNSETSNDBUF = Number(WriteDirection, 212, sizeof(int));
    public static readonly uint TUNGETVNETHDRSZ = Number(ReadDirection, 215, sizeof(int));
    public static readonly uint TUNSETVNETHDRSZ = Number(WriteDirection, 216, sizeof(int));
    public static readonly uint TUNSETQUEUE = Number(WriteDirection, 217, sizeof(int));
    public static readonly uint TUNSETVNETLE = Number(WriteDirection, 220, sizeof(int));
    public static readonly uint TUNGETVNETLE = Number(ReadDirection, 221, sizeof(int));
    public static readonly uint TUNGETDEVNETNS = Number(0, 227, 0);

    /// <summary>_IO, _IOR and _IOW of asm-generic/ioctl.h, for the letter 'T'.</summary>
    private static uint Number(uint direction, uint number, uint size) => direction << 30 | size << 16 | 'T' << 8 | number;
}

/// <summary>struct ifreq of linux/if.h: a name and a union, of which flags and hardware address are used here.</summary>
[StructLayout(LayoutKind.Explicit, Size = 40)]
#pragma warning disable CS8981 // The C name.
internal unsafe struct ifreq
#pragma warning restore CS8981
{
    [FieldOffset(0)]
    public fixed byte ifr_name[Tun.IFNAMSIZ];

    [FieldOffset(16)]
    public ushort ifr_flags;

    /// <summary>sa_data of the union's struct sockaddr; sa_family is before it.</summary>
    [FieldOffset(18)]
    public fixed byte ifr_hwaddr_data[14];
}
