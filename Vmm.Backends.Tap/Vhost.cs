using System.Runtime.InteropServices;

namespace Vmm.Backends.Tap;

#pragma warning disable CS8981 // The C names.

/// <summary>The numbers of linux/vhost.h and linux/vhost_types.h, under their C names.</summary>
internal static class Vhost
{
    public const string DevicePath = "/dev/vhost-net";

    private const uint WriteDirection = 1;
    private const uint ReadDirection = 2;

    public static readonly uint VHOST_GET_FEATURES = Number(ReadDirection, 0x00, sizeof(ulong));
    public static readonly uint VHOST_SET_FEATURES = Number(WriteDirection, 0x00, sizeof(ulong));
    public static readonly uint VHOST_SET_OWNER = Number(0, 0x01, 0);
    public static readonly uint VHOST_RESET_OWNER = Number(0, 0x02, 0);
    public static readonly uint VHOST_SET_MEM_TABLE = Number(WriteDirection, 0x03, vhost_memory.HeaderSize);
    public static readonly uint VHOST_SET_VRING_NUM = Number(WriteDirection, 0x10, 8);
    public static readonly uint VHOST_SET_VRING_ADDR = Number(WriteDirection, 0x11, 40);
    public static readonly uint VHOST_SET_VRING_BASE = Number(WriteDirection, 0x12, 8);
    public static readonly uint VHOST_GET_VRING_BASE = Number(WriteDirection | ReadDirection, 0x12, 8);
    public static readonly uint VHOST_SET_VRING_KICK = Number(WriteDirection, 0x20, 8);
    public static readonly uint VHOST_SET_VRING_CALL = Number(WriteDirection, 0x21, 8);
    public static readonly uint VHOST_SET_VRING_ERR = Number(WriteDirection, 0x22, 8);
    public static readonly uint VHOST_NET_SET_BACKEND = Number(WriteDirection, 0x30, 8);

    /// <summary>_IO, _IOR, _IOW and _IOWR of asm-generic/ioctl.h, for VHOST_VIRTIO.</summary>
    private static uint Number(uint direction, uint number, uint size) => direction << 30 | size << 16 | 0xAFu << 8 | number;
}

/// <summary>An index, a size, or a number of descriptors of a ring.</summary>
internal struct vhost_vring_state
{
    public uint index;
    public uint num;
}

/// <summary>A descriptor for a ring; -1 takes it away.</summary>
internal struct vhost_vring_file
{
    public uint index;
    public int fd;
}

/// <summary>Where the parts of a ring are, as addresses of the owner's process.</summary>
internal struct vhost_vring_addr
{
    public uint index;
    public uint flags;
    public ulong desc_user_addr;
    public ulong used_user_addr;
    public ulong avail_user_addr;
    public ulong log_guest_addr;
}

internal struct vhost_memory_region
{
    public ulong guest_phys_addr;
    public ulong memory_size;
    public ulong userspace_addr;
    public ulong flags_padding;
}

/// <summary>The table of guest RAM. The kernel has an array without length behind the header; guest RAM here has two regions at most.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct vhost_memory
{
    /// <summary>sizeof(struct vhost_memory) in C: what the number of the ioctl says.</summary>
    public const int HeaderSize = 8;

    public const int MaxRegions = 2;

    public uint nregions;
    public uint padding;
    public Regions regions;

    [System.Runtime.CompilerServices.InlineArray(MaxRegions)]
    internal struct Regions
    {
        private vhost_memory_region _first;
    }
}
