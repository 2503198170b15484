using Tmds.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Devices.VirtioBlock;

// Bytes between memory and the image. The lock is held.
internal sealed partial class BlockQueue
{
    private const int BounceSize = 64 << 10;

    private BlockStatus Transfer(ScatterList list, ulong sector, bool writes)
    {
        bool copies = _bounce is not null && !list.IsAligned(_image.Alignment);
        long offset = (long)sector * DiskImage.SectorSize;
        while (list.TotalBytes > 0)
        {
            if (_stops)
            {
                return BlockStatus.BrokenOff;
            }

            int done = copies ? TransferCopy(list, offset, writes)
                : writes ? _image.Write(list, offset, BlockLimits.Chunk)
                : _image.Read(list, offset, BlockLimits.Chunk);
            if (done > 0)
            {
                list.RemoveStart(done);
                offset += done;
            }
            else if (done != -LibC.EINTR)
            {
                // 0: somebody has made the file shorter.
                return Report(writes ? "write to" : "read from", done < 0 ? done : -LibC.EIO);
            }
        }

        return BlockStatus.Ok;
    }

    /// <summary>Without the page cache the storage takes aligned memory only, which the guest's need not be.</summary>
    private int TransferCopy(ScatterList list, long offset, bool writes)
    {
        int length = (int)Math.Min(list.TotalBytes, BounceSize);
        Span<byte> bytes = _bounce!.Span[..length];
        _bounceRange.Clear();
        _bounceRange.TryAdd(_bounce, length);
        if (writes)
        {
            list.CopyTo(0, bytes);
            return _image.Write(_bounceRange, offset, length);
        }

        int done = _image.Read(_bounceRange, offset, length);
        if (done > 0)
        {
            list.CopyFrom(0, bytes[..done]);
        }

        return done;
    }

    /// <summary>Where the file system has no other way.</summary>
    private BlockStatus WriteZeroBytes(ulong sector, uint count)
    {
        long left = (long)count * DiskImage.SectorSize;
        while (left > 0)
        {
            _zeroRanges.Clear();
            long part = 0;
            while (part < left && _zeroRanges.Count < _zeroRanges.Capacity)
            {
                int length = (int)Math.Min(left - part, _zeros.Length);
                _zeroRanges.TryAdd(_zeros, length);
                part += length;
            }

            BlockStatus status = Transfer(_zeroRanges, sector, writes: true);
            if (status != BlockStatus.Ok)
            {
                return status;
            }

            sector += (ulong)part / DiskImage.SectorSize;
            left -= part;
        }

        return BlockStatus.Ok;
    }
}
