using System.Buffers.Binary;
using Microsoft.Extensions.Logging;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Devices.VirtioBlock;

// What a request asks for. The lock is held, the data buffers are in the two lists, and nothing in them is trusted.
internal sealed partial class BlockQueue
{
    /// <summary>struct virtio_blk_req up to its data.</summary>
    private const int HeaderSize = 16;

    /// <summary>struct virtio_blk_discard_write_zeroes.</summary>
    private const int RangeSize = 16;

    private const uint Unmap = 1;

    /// <param name="data">Bytes that were written to the data buffers.</param>
    private BlockStatus Run(out long data)
    {
        data = 0;
        Span<byte> header = stackalloc byte[HeaderSize];
        if (_readable.CopyTo(0, header) < HeaderSize)
        {
            return Refuse();
        }

        _readable.RemoveStart(HeaderSize);
        BlockRequestType type = (BlockRequestType)BinaryPrimitives.ReadUInt32LittleEndian(header);
        ulong sector = BinaryPrimitives.ReadUInt64LittleEndian(header[8..]);
        BlockRules rules = _rules;
        return type switch
        {
            BlockRequestType.In => Read(rules, sector, out data),
            BlockRequestType.Out => Write(rules, sector),
            BlockRequestType.Flush when rules.Allows(VirtioBlockFeatures.Flush) => Flush(),
            BlockRequestType.GetId => GetId(out data),
            BlockRequestType.Discard when rules.Allows(VirtioBlockFeatures.Discard) => Discard(rules, zeroes: false),
            BlockRequestType.WriteZeroes when rules.Allows(VirtioBlockFeatures.WriteZeroes) => Discard(rules, zeroes: true),
            _ => Refuse(BlockStatus.Unsupported),
        };
    }

    private BlockStatus Read(BlockRules rules, ulong sector, out long data)
    {
        data = 0;
        long length = _writable.TotalBytes;
        if (_readable.TotalBytes != 0 || !IsOnDisk(rules, sector, length))
        {
            return Refuse();
        }

        BlockStatus status = Transfer(_writable, sector, writes: false);
        if (status == BlockStatus.Ok)
        {
            data = length;
            Metrics.CountRead(length);
        }

        return status;
    }

    private BlockStatus Write(BlockRules rules, ulong sector)
    {
        long length = _readable.TotalBytes;
        if (_writable.TotalBytes != 0 || _image.IsReadOnly || !IsOnDisk(rules, sector, length))
        {
            return Refuse();
        }

        BlockStatus status = Transfer(_readable, sector, writes: true);
        status = status == BlockStatus.Ok && rules.WritesThrough ? FlushImage() : status;
        if (status == BlockStatus.Ok)
        {
            Metrics.CountWrite(length);
        }

        return status;
    }

    private BlockStatus Flush()
    {
        BlockStatus status = FlushImage();
        if (status == BlockStatus.Ok)
        {
            Metrics.CountFlush();
        }

        return status;
    }

    private BlockStatus GetId(out long data)
    {
        data = 0;
        if (_writable.TotalBytes == 0)
        {
            return Refuse();
        }

        Span<byte> id = stackalloc byte[DiskDeviceOptions.MaxSerial];
        id.Clear();
        _serial.AsSpan(0, Math.Min(_serial.Length, id.Length)).CopyTo(id);
        data = _writable.CopyFrom(0, id);
        return BlockStatus.Ok;
    }

    private BlockStatus Discard(BlockRules rules, bool zeroes)
    {
        Span<byte> ranges = stackalloc byte[BlockLimits.DiscardSegments * RangeSize];
        long length = _readable.TotalBytes;
        int most = (zeroes ? BlockLimits.ZeroSegments : BlockLimits.DiscardSegments) * RangeSize;
        if (_image.IsReadOnly || _writable.TotalBytes != 0 || length == 0 || length % RangeSize != 0 || length > most)
        {
            return Refuse();
        }

        ranges = ranges[..(int)length];
        _readable.CopyTo(0, ranges);

        // All are looked at before the first is touched.
        for (int at = 0; at < ranges.Length; at += RangeSize)
        {
            (ulong sector, uint count, uint flags) = ReadRange(ranges[at..]);

            // SPEC: 5.2.6.2: flags that are not known, and for a discard any.
            if ((flags & ~(zeroes ? Unmap : 0)) != 0)
            {
                return Refuse(BlockStatus.Unsupported);
            }

            if (count > (zeroes ? BlockLimits.ZeroSectors : BlockLimits.DiscardSectors) || !IsOnDisk(rules, sector, (long)count * DiskImage.SectorSize))
            {
                return Refuse();
            }
        }

        BlockStatus status = BlockStatus.Ok;
        for (int at = 0; at < ranges.Length && status == BlockStatus.Ok; at += RangeSize)
        {
            (ulong sector, uint count, uint flags) = ReadRange(ranges[at..]);
            status = _stops ? BlockStatus.BrokenOff
                : count == 0 ? BlockStatus.Ok
                : zeroes ? WriteZeroes(sector, count, (flags & Unmap) != 0)
                : DiscardRange((long)sector * DiskImage.SectorSize, (long)count * DiskImage.SectorSize);
        }

        status = status == BlockStatus.Ok && rules.WritesThrough ? FlushImage() : status;
        if (status == BlockStatus.Ok)
        {
            Metrics.CountDiscard();
        }

        return status;
    }

    private BlockStatus DiscardRange(long offset, long length)
    {
        BlockStatus status = BlockStatus.Ok;
        while (length > 0 && status == BlockStatus.Ok)
        {
            // Where a piece ends, a block of the file system does.
            long part = Math.Min(length, BlockLimits.DiscardChunk - offset % BlockLimits.DiscardChunk);
            status = _stops ? BlockStatus.BrokenOff : Report("discard", _image.Discard(offset, part));
            offset += part;
            length -= part;
        }

        return status;
    }

    private BlockStatus WriteZeroes(ulong sector, uint count, bool unmap)
    {
        int result = _image.WriteZeroes((long)sector * DiskImage.SectorSize, (long)count * DiskImage.SectorSize, unmap);
        return result == -LibC.EOPNOTSUPP ? WriteZeroBytes(sector, count) : Report("write zeros to", result);
    }

    /// <summary>
    /// Waits for the storage without the lock. Broken off when the queue was stopped meanwhile; the ring has the request again then, and the lists
    /// are what they were.
    /// </summary>
    private BlockStatus FlushImage()
    {
        int stopCount = _stopCount;
        _isAway = true;
        _lock.Exit();
        int result;
        try
        {
            result = _image.Flush();
        }
        finally
        {
            _lock.Enter();
        }

        if (stopCount != _stopCount)
        {
            return BlockStatus.BrokenOff;
        }

        _isAway = false;
        return Report("flush", result);
    }

    private static (ulong Sector, uint Count, uint Flags) ReadRange(ReadOnlySpan<byte> range)
        => (BinaryPrimitives.ReadUInt64LittleEndian(range), BinaryPrimitives.ReadUInt32LittleEndian(range[8..]), BinaryPrimitives.ReadUInt32LittleEndian(range[12..]));

    private static bool IsOnDisk(BlockRules rules, ulong sector, long length)
        => length % DiskImage.SectorSize == 0 && sector <= rules.Capacity && (ulong)length / DiskImage.SectorSize <= rules.Capacity - sector;

    private BlockStatus Refuse(BlockStatus status = BlockStatus.IoError)
    {
        Metrics.CountMalformed();
        return status;
    }

    private BlockStatus Report(string what, int result)
    {
        if (result >= 0)
        {
            return BlockStatus.Ok;
        }

        Metrics.CountError();
        string reason = LinuxException.Describe(-result);
        _log.LogWarning("{Device}: the host could not {What} {Image}: {Reason}", _name, what, _image.Description, reason);
        return result == -LibC.EOPNOTSUPP ? BlockStatus.Unsupported : BlockStatus.IoError;
    }
}
