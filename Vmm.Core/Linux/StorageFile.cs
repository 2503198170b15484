using System.Globalization;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A regular file or a block device as a place for a disk's bytes. The calls return 0 or -errno.</summary>
public static unsafe class StorageFile
{
    private const int BLKDISCARD = 0x1277;
    private const int BLKSSZGET = 0x1268;
    private const int BLKPBSZGET = 0x127b;
    private const int BLKGETSIZE64 = unchecked((int)0x80081272);

    private const int FALLOC_FL_KEEP_SIZE = 0x01;
    private const int FALLOC_FL_PUNCH_HOLE = 0x02;
    private const int FALLOC_FL_ZERO_RANGE = 0x10;

    /// <summary>Opens one for reading, or for both.</summary>
    /// <exception cref="LinuxException">open(2) failed.</exception>
    public static FileDescriptor Open(string path, bool writable, bool direct, string? advice)
        => FileDescriptor.Open(path, (writable ? LibC.O_RDWR : LibC.O_RDONLY) | (direct ? LibC.O_DIRECT : 0), advice);

    /// <summary>What lies behind a path, without opening it; null when there is nothing.</summary>
    public static DescriptorKind? Probe(string path) => !FileStatus.TryGet(path, followLink: true, out stat status) ? null
        : LibC.S_ISREG(status.st_mode) ? DescriptorKind.File
        : LibC.S_ISBLK(status.st_mode) ? DescriptorKind.Device
        : DescriptorKind.Other;

    /// <summary>What an open file is.</summary>
    /// <exception cref="LinuxException">A call failed.</exception>
    public static StorageInfo GetInfo(FileDescriptor file, string name)
    {
        stat status;
        LinuxException.ThrowIfFailed(LibC.fstat(file.Number, &status), "fstat", name);
        int flags = LinuxException.ThrowIfFailed(LibC.fcntl(file.Number, LibC.F_GETFL), "fcntl(F_GETFL)", name);
        StorageInfo info = new()
        {
            Kind = LibC.S_ISREG(status.st_mode) ? DescriptorKind.File : LibC.S_ISBLK(status.st_mode) ? DescriptorKind.Device : DescriptorKind.Other,
            Size = (long)status.st_size,
            PhysicalBlock = (uint)(long)status.st_blksize,
            IsWritable = (flags & LibC.O_ACCMODE) == LibC.O_RDWR,
            IsDirect = (flags & LibC.O_DIRECT) != 0,
        };
        if (info.Kind != DescriptorKind.Device)
        {
            return info with { LogicalBlock = uint.TryParse(ReadQueue((ulong)status.st_dev, "logical_block_size"), out uint block) ? block : info.LogicalBlock };
        }

        long size;
        int logical;
        uint physical;
        LinuxException.ThrowIfFailed(LibC.ioctl(file.Number, BLKGETSIZE64, &size), "ioctl(BLKGETSIZE64)", name);
        LinuxException.ThrowIfFailed(LibC.ioctl(file.Number, BLKSSZGET, &logical), "ioctl(BLKSSZGET)", name);
        LinuxException.ThrowIfFailed(LibC.ioctl(file.Number, BLKPBSZGET, &physical), "ioctl(BLKPBSZGET)", name);
        ulong device = (ulong)status.st_rdev;
        return info with { Size = size, LogicalBlock = (uint)logical, PhysicalBlock = physical, CanDiscard = ReadQueue(device, "discard_max_bytes") is not (null or "0") };
    }

    /// <summary>Returns the bytes read, 0 at the end, or -errno.</summary>
    public static int Read(FileDescriptor file, long offset, Span<byte> target)
    {
        fixed (byte* start = target)
        {
            iovec range = new() { iov_base = start, iov_len = target.Length };
            nint result = Libc.preadv(file.Number, &range, 1, offset);
            return result >= 0 ? (int)result : -LibC.errno;
        }
    }

    /// <summary>What was written, and on the file what is needed to find it, survives a loss of power.</summary>
    public static int Flush(FileDescriptor file) => Result(Libc.fdatasync(file.Number));

    /// <summary>The page cache drops what it has of the file, but for what was not written yet: the next read is one of the storage.</summary>
    public static void Forget(FileDescriptor file) => _ = Libc.posix_fadvise(file.Number, 0, 0, Libc.POSIX_FADV_DONTNEED);

    /// <summary>Gives the space up; the bytes read as zeros. Beyond the end of a regular file nothing happens.</summary>
    public static int PunchHole(FileDescriptor file, long offset, long length)
        => Result(Libc.fallocate(file.Number, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, offset, length));

    /// <summary>The bytes read as zeros; the space stays.</summary>
    public static int Zero(FileDescriptor file, long offset, long length)
        => Result(Libc.fallocate(file.Number, FALLOC_FL_ZERO_RANGE | FALLOC_FL_KEEP_SIZE, offset, length));

    /// <summary>Tells a block device that the bytes are not needed.</summary>
    public static int DiscardDevice(FileDescriptor file, long offset, long length)
    {
        ulong* range = stackalloc ulong[] { (ulong)offset, (ulong)length };
        return Result(LibC.ioctl(file.Number, BLKDISCARD, range));
    }

    private static int Result(int result) => result >= 0 ? 0 : -LibC.errno;

    /// <summary>What the kernel says of a device's queue; null when it does not, as of a file system that is on no device of its own.</summary>
    private static string? ReadQueue(ulong device, string attribute)
    {
        // SPEC: gnu_dev_major and gnu_dev_minor of sys/sysmacros.h.
        ulong major = (device >> 8 & 0xfff) | (device >> 32 & ~0xffful);
        ulong minor = (device & 0xff) | (device >> 12 & ~0xfful);
        string folder = string.Create(CultureInfo.InvariantCulture, $"/sys/dev/block/{major}:{(uint)minor}");
        foreach (string path in (string[])[$"{folder}/queue/{attribute}", $"{folder}/../queue/{attribute}"])
        {
            try
            {
                return File.ReadAllText(path).Trim();
            }
            catch (IOException)
            {
                // A partition has no queue of its own.
            }
            catch (UnauthorizedAccessException)
            {
                return null;
            }
        }

        return null;
    }
}
