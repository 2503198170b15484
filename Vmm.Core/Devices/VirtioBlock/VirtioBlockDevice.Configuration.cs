using System.Buffers.Binary;
using System.Numerics;

namespace Vmm.Core.Devices.VirtioBlock;

// Configuration space: struct virtio_blk_config (virtio 1.2 section 5.2.4).
public sealed partial class VirtioBlockDevice
{
    private const int ConfigSize = 60;

    private const int SizeMaxAt = 8;
    private const int SegmentMaxAt = 12;
    private const int BlockSizeAt = 20;
    private const int PhysicalExponentAt = 24;
    private const int MinimumIoAt = 26;
    private const int WriteBackAt = 32;
    private const int QueuesAt = 34;
    private const int DiscardSectorsAt = 36;
    private const int DiscardSegmentsAt = 40;
    private const int DiscardAlignmentAt = 44;
    private const int ZeroSectorsAt = 48;
    private const int ZeroSegmentsAt = 52;
    private const int ZeroMayUnmapAt = 56;

    public void ReadConfig(uint offset, Span<byte> data)
    {
        if (offset >= ConfigSize)
        {
            return;
        }

        Span<byte> config = stackalloc byte[ConfigSize];
        WriteConfig(config);
        int length = Math.Min(data.Length, ConfigSize - (int)offset);
        config.Slice((int)offset, length).CopyTo(data);
    }

    public void WriteConfig(uint offset, ReadOnlySpan<byte> data)
    {
        lock (_lock)
        {
            // SPEC: 5.2.5.2: writable when VIRTIO_BLK_F_CONFIG_WCE is negotiated.
            if (offset == WriteBackAt && data.Length == 1 && IsNegotiated(VirtioBlockFeatures.ConfigWriteCache))
            {
                _state.WriteBack = data[0] != 0;
                UpdateRules();
            }
        }
    }

    private void WriteConfig(Span<byte> config)
    {
        VirtioBlockState state;
        lock (_lock)
        {
            state = _state;
        }

        config.Clear();
        uint blocksPerPhysical = Math.Max(state.PhysicalBlockSize / state.BlockSize, 1);
        BinaryPrimitives.WriteUInt64LittleEndian(config, state.Capacity);
        BinaryPrimitives.WriteUInt32LittleEndian(config[SizeMaxAt..], BlockLimits.SegmentSize);
        BinaryPrimitives.WriteUInt32LittleEndian(config[SegmentMaxAt..], BlockLimits.Segments);
        BinaryPrimitives.WriteUInt32LittleEndian(config[BlockSizeAt..], state.BlockSize);
        config[PhysicalExponentAt] = (byte)BitOperations.Log2(blocksPerPhysical);
        BinaryPrimitives.WriteUInt16LittleEndian(config[MinimumIoAt..], (ushort)Math.Min(blocksPerPhysical, ushort.MaxValue));
        config[WriteBackAt] = state.WriteBack ? (byte)1 : (byte)0;
        BinaryPrimitives.WriteUInt16LittleEndian(config[QueuesAt..], (ushort)_queues.Length);
        if (!_image.IsReadOnly)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(config[DiscardSectorsAt..], BlockLimits.DiscardSectors);
            BinaryPrimitives.WriteUInt32LittleEndian(config[DiscardSegmentsAt..], BlockLimits.DiscardSegments);
            BinaryPrimitives.WriteUInt32LittleEndian(config[DiscardAlignmentAt..], state.BlockSize / DiskImage.SectorSize);
            BinaryPrimitives.WriteUInt32LittleEndian(config[ZeroSectorsAt..], BlockLimits.ZeroSectors);
            BinaryPrimitives.WriteUInt32LittleEndian(config[ZeroSegmentsAt..], BlockLimits.ZeroSegments);
            config[ZeroMayUnmapAt] = _image.CanDiscard ? (byte)1 : (byte)0;
        }
    }

    /// <summary>Tells the queues what features and state say now. The lock is held.</summary>
    private void UpdateRules()
    {
        bool keeps = IsNegotiated(VirtioBlockFeatures.ConfigWriteCache) ? _state.WriteBack : IsNegotiated(VirtioBlockFeatures.Flush);
        foreach (BlockQueue queue in _queues)
        {
            queue.Rules = new BlockRules(_transport?.Features ?? 0, _state.Capacity, WritesThrough: !keeps);
        }
    }
}
