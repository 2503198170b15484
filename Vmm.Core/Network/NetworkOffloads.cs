namespace Vmm.Core.Network;

/// <summary>What a receiver of frames takes besides plain, checksummed ones. The bits are those of the kernel's TUN_F_* flags (linux/if_tun.h).</summary>
[Flags]
public enum NetworkOffloads : uint
{
    None = 0,

    /// <summary>TUN_F_CSUM: frames whose checksum is still to be filled in.</summary>
    Checksum = 0x01,

    /// <summary>TUN_F_TSO4: TCP over IPv4 segments of up to 64 KiB.</summary>
    Tso4 = 0x02,

    /// <summary>TUN_F_TSO6.</summary>
    Tso6 = 0x04,

    /// <summary>TUN_F_TSO_ECN: the same with ECN bits set.</summary>
    TsoEcn = 0x08,

    /// <summary>TUN_F_UFO: UDP datagrams to be fragmented.</summary>
    Ufo = 0x10,

    /// <summary>TUN_F_USO4: UDP segmentation (Linux 6.2).</summary>
    Uso4 = 0x20,

    /// <summary>TUN_F_USO6.</summary>
    Uso6 = 0x40,
}
