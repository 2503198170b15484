using System.Numerics;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>
/// A disk's bytes: a regular file that holds them as they are, or a block device. Offsets and lengths are the caller's to check against
/// <see cref="Size"/>.
/// </summary>
/// <remarks>
/// Safe from any thread, but for the hand-over: taking and giving up the image is one thread's business. The calls that move bytes return how many,
/// the others 0; all return -errno when the host failed.
/// </remarks>
public sealed partial class DiskImage : IDisposable
{
    /// <summary>The unit that a virtio disk is addressed in (virtio 1.2 section 5.2.2).</summary>
    public const int SectorSize = 512;

    private readonly string _path;
    private readonly FileDescriptor _file;
    private readonly StorageInfo _info;
    private readonly DiskCache _cache;
    private readonly bool _canPunch;
    private volatile bool _canZero = true;
    private volatile int _flushErrno;

    private DiskImage(FileDescriptor file, StorageInfo info, DiskDeviceOptions options)
    {
        _path = options.Path;
        _file = file;
        _info = info;
        _cache = options.Cache;
        IsReadOnly = options.ReadOnly;
        BlockSize = info.Kind == DescriptorKind.Device ? info.LogicalBlock : info.IsDirect ? Math.Max(info.LogicalBlock, FindDirectBlock(file)) : SectorSize;
        Size = info.Size / BlockSize * BlockSize;
        _canPunch = !options.ReadOnly && (info.Kind == DescriptorKind.Device ? info.CanDiscard : StorageFile.PunchHole(file, (info.Size + 0xffff) & ~0xffffL, 0x1_0000) == 0);
    }

    /// <summary>For people and logs: <c>file /srv/root.img</c>.</summary>
    public string Description => $"{(_info.Kind == DescriptorKind.Device ? "device" : "file")} {_path}";

    /// <summary>Bytes that are used: whole blocks.</summary>
    public long Size { get; }

    public bool IsReadOnly { get; }

    /// <summary>Bytes of the unit that it can be read and written in: 512 or, if the storage wants it so, 4096.</summary>
    public uint BlockSize { get; }

    /// <summary>Bytes of the unit that it is best written in.</summary>
    public uint PhysicalBlockSize => Math.Max(BlockSize, RoundBlock(_info.PhysicalBlock));

    /// <summary>What addresses and lengths in memory have to be a multiple of; 1 when anything goes.</summary>
    public uint Alignment => _info.IsDirect ? BlockSize : 1;

    /// <summary>Whether <see cref="Discard"/> does anything.</summary>
    public bool CanDiscard => _canPunch;

    /// <summary>What the user may want to know of it, or null.</summary>
    public string? Warning { get; private set; }

    /// <summary>preadv(2) into the first bytes of the list.</summary>
    public int Read(ScatterList list, long offset, int most) => list.ReadFrom(_file, offset, most);

    /// <summary>pwritev(2) of the first bytes of the list.</summary>
    public int Write(ScatterList list, long offset, int most) => list.WriteTo(_file, offset, most);

    /// <summary>
    /// Why a flush failed, for good; 0 when none has. The kernel says once that it could not write what the page cache held, and drops it: the
    /// next flush would be fine, and the bytes lost all the same. Without the page cache nothing is dropped.
    /// </summary>
    public int FlushErrno
    {
        get => _flushErrno;
        internal set => _flushErrno = value;
    }

    /// <summary>All that was written survives a loss of power when this returns, unless the user wants it otherwise.</summary>
    public int Flush()
    {
        if (_cache == DiskCache.Unsafe || IsReadOnly)
        {
            return 0;
        }

        if (_flushErrno == 0 && StorageFile.Flush(_file) is int result and not 0)
        {
            if (_cache == DiskCache.None)
            {
                return result;
            }

            _flushErrno = -result;
        }

        // Another queue's thread may have heard of it instead of this one.
        return -_flushErrno;
    }

    /// <summary>The guest does not need these bytes any more.</summary>
    public int Discard(long offset, long length)
        => _info.Kind == DescriptorKind.Device ? StorageFile.DiscardDevice(_file, offset, length) : StorageFile.PunchHole(_file, offset, length);

    /// <summary>These bytes read as zeros from now on. -EOPNOTSUPP where the file system can't do that but by writing zeros.</summary>
    /// <param name="offset">Where they begin.</param>
    /// <param name="length">How many.</param>
    /// <param name="unmap">Their space may be given up.</param>
    public int WriteZeroes(long offset, long length, bool unmap)
    {
        if (unmap && _canPunch && StorageFile.PunchHole(_file, offset, length) == 0)
        {
            return 0;
        }

        if (!_canZero)
        {
            return -LibC.EOPNOTSUPP;
        }

        int result = StorageFile.Zero(_file, offset, length);
        _canZero = result != -LibC.EOPNOTSUPP;
        return result;
    }

    public void Dispose()
    {
        StopWaiting();
        _file.Dispose();
    }

    /// <summary>A network file system's best block may be of any size; the guest knows powers of two.</summary>
    internal static uint RoundBlock(uint size) => 1u << Math.Min(BitOperations.Log2(size), 30);

    /// <summary>With O_DIRECT the storage says what it takes by refusing the rest, but where the file has a hole.</summary>
    private static uint FindDirectBlock(FileDescriptor file)
    {
        using HostBuffer buffer = new(2 * 4096, 4096);
        foreach (int block in (int[])[512, 1024, 2048])
        {
            if (StorageFile.Read(file, block, buffer.Span.Slice(block, block)) >= 0)
            {
                return (uint)block;
            }
        }

        return 4096;
    }
}
