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

    private sealed class Section(VirtioBlockDevice device) : StateSection<VirtioBlockState>($"{device._config.Id}/virtio-blk", s_kind)
    {
        protected override ref VirtioBlockState Collect() => ref device._state;

        protected override VirtioBlockState Prepare() => default;

        protected override string? Check(in VirtioBlockState state)
        {
            // What the guest was told of the disk stays; the image here has to be able to do it.
            ulong sectors = (ulong)device._image.Size / DiskImage.SectorSize;
            return state.Capacity == 0 || state.Capacity > sectors ? $"capacity {state.Capacity} is not 1 to {sectors}, the sectors of {device._image.Description}"
                : state.BlockSize < device._image.BlockSize || !IsBlockSize(state.BlockSize) ? $"block_size {state.BlockSize} is none that {device._image.Description} has, whose blocks are of {device._image.BlockSize} bytes"
                : !IsBlockSize(state.PhysicalBlockSize) ? $"physical_block_size {state.PhysicalBlockSize} is no size of a block"
                : null;
        }

        protected override void Apply(ref VirtioBlockState state)
        {
            lock (device._lock)
            {
                device._state = state;
                device.UpdateRules();
            }
        }

        private static bool IsBlockSize(uint size) => size is >= DiskImage.SectorSize and <= 1 << 30 && (size & (size - 1)) == 0;
    }
}
