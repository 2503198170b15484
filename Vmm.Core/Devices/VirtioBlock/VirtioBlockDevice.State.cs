using Vmm.Core.State;

namespace Vmm.Core.Devices.VirtioBlock;

// Saving and restoring. The device is paused.
public sealed partial class VirtioBlockDevice
{
    private static readonly StateKind<VirtioBlockState> s_kind = new(version: 1);

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <summary>What migrates of the device. It is applied before the transport's section.</summary>
    public IStateSection CreateStateSection() => new Section(this);

    /// <summary>MAX_ERRNO of Linux.</summary>
    private const uint MaxErrno = 4095;

    private sealed class Section(VirtioBlockDevice device) : StateSection<VirtioBlockState>($"{device._config.Id}/virtio-blk", s_kind)
    {
        protected override ref VirtioBlockState Collect()
        {
            // Here, and not with the open file, which goes before the pause: a flush may have failed since.
            device._state.FlushErrno = (uint)device._image.FlushErrno;
            return ref device._state;
        }

        protected override VirtioBlockState Prepare() => default;

        protected override string? Check(in VirtioBlockState state)
        {
            // What the guest was told of the disk stays; the image here has to be able to do it.
            ulong sectors = (ulong)device._image.Size / DiskImage.SectorSize;
            return state.Capacity == 0 || state.Capacity > sectors ? $"capacity {state.Capacity} is not 1 to {sectors}, the sectors of {device._image.Description}"
                : state.BlockSize < device._image.BlockSize || !IsBlockSize(state.BlockSize) ? $"block_size {state.BlockSize} is none that {device._image.Description} has, whose blocks are of {device._image.BlockSize} bytes"
                : !IsBlockSize(state.PhysicalBlockSize) ? $"physical_block_size {state.PhysicalBlockSize} is no size of a block"
                : state.FlushErrno > MaxErrno ? $"flush_errno {state.FlushErrno} is no error number"
                : null;
        }

        protected override void Apply(ref VirtioBlockState state)
        {
            lock (device._lock)
            {
                device._state = state;
                device._image.FlushErrno = (int)state.FlushErrno;
                device.UpdateRules();
            }
        }

        private static bool IsBlockSize(uint size) => size is >= DiskImage.SectorSize and <= 1 << 30 && (size & (size - 1)) == 0;
    }
}
