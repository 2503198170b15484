using Vmm.Core.State;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>All of a block device that migrates, but for its rings: what the guest was told of the disk, and what it has set.</summary>
internal struct VirtioBlockState : IDescribed<VirtioBlockState>
{
    /// <summary>Sectors of 512 bytes.</summary>
    public ulong Capacity;

    /// <summary>Bytes.</summary>
    public uint BlockSize;

    /// <summary>Bytes.</summary>
    public uint PhysicalBlockSize;

    /// <summary>The driver wants writes to be kept until it flushes.</summary>
    public bool WriteBack;

    /// <summary>See <see cref="DiskImage.FlushErrno"/>; 0 unless the image moves.</summary>
    public uint FlushErrno;

    public static string StateName => "virtio-blk";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtioBlockState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("capacity", ref state.Capacity);
        visitor.Field("block_size", ref state.BlockSize);
        visitor.Field("physical_block_size", ref state.PhysicalBlockSize);
        visitor.Field("write_back", ref state.WriteBack);
        visitor.Field("flush_errno", ref state.FlushErrno);
    }
}
