using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Memory;

/// <summary>
/// Guest RAM: one file of memory mapped MAP_SHARED once, split into a region below the MMIO hole and, if it does not fit there, one that
/// begins at 4 GiB. Every access is checked against the regions; no pointer leaves this folder.
/// </summary>
/// <remarks>
/// The guest and other threads may change the bytes at any time: read a value once, check the copy, carry the copy.
/// Dispose only when no vCPU and no I/O thread can touch the memory any more.
/// </remarks>
public sealed unsafe class GuestMemory : IDisposable
{
    /// <summary>RAM ends here at the latest; the hole up to 4 GiB is for MMIO.</summary>
    public const ulong LowLimit = 0xC000_0000;

    /// <summary>RAM that does not fit below the hole goes on here.</summary>
    public const ulong HighStart = 0x1_0000_0000;

    /// <summary>Bytes of a huge page; with them, the size of guest memory is a multiple of it.</summary>
    public const ulong HugePageSize = 2 << 20;
    private const int MADV_HUGEPAGE = 14;
    private const int MADV_POPULATE_WRITE = 23; // Linux 5.14
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;

    // Inaccessible memory on both sides: what slipped past every check would end in a fault, not in somebody else's bytes.
    private const ulong GuardSize = HugePageSize;

    private readonly MemoryRegion _low;
    private readonly MemoryRegion? _high;
    private readonly byte* _host;
    private readonly byte* _reserved; // the whole range of addresses, guards included
    private readonly bool _sparse; // ordinary pages that need not all be there
    private bool _disposed;

    private GuestMemory(FileDescriptor file, GuestMemoryOptions options, byte* host, byte* reserved)
    {
        ulong size = options.Size;
        File = file;
        Size = size;
        HugePages = options.HugePages;
        _sparse = !options.HugePages && !options.Populate;
        _host = host;
        _reserved = reserved;
        ulong low = Math.Min(size, LowLimit);
        _low = new MemoryRegion(new GuestAddress(0), low, 0, host);
        _high = size > low ? new MemoryRegion(new GuestAddress(HighStart), size - low, low, host + low) : null;
        Regions = _high is null ? [_low] : [_low, _high];
    }

    /// <summary>It can be mapped by another process: that is how RAM moves without a copy.</summary>
    public FileDescriptor File { get; }

    /// <summary>Bytes of RAM in all regions.</summary>
    public ulong Size { get; }

    /// <summary>Whether it is of the hugetlb pool's pages.</summary>
    public bool HugePages { get; }

    public IReadOnlyList<MemoryRegion> Regions { get; }

    /// <summary>Creates and maps a file of memory.</summary>
    /// <exception cref="ArgumentException">The size is 0 or no multiple of the page size.</exception>
    /// <exception cref="LinuxException">The host refused the memory, with what to do about it.</exception>
    public static GuestMemory Create(GuestMemoryOptions options)
    {
        ulong page = options.HugePages ? HugePageSize : 4096;
        if (options.Size == 0 || options.Size % page != 0)
        {
            throw new ArgumentException($"Guest memory of {options.Size} bytes is not a positive multiple of the page size {page}.", nameof(options));
        }

        string subject = Subject(options.Size);
        FileDescriptor file = GuestMemoryFile.Create(options, subject);
        try
        {
            return Map(file, options, subject);
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    /// <summary>Maps the RAM of a guest that another process has made. It owns <paramref name="file"/> when this returns.</summary>
    /// <param name="file">The other's <see cref="File"/>.</param>
    /// <param name="options">As they were there.</param>
    /// <exception cref="LinuxException">The file is no memory of this size, or could be cut under the guest.</exception>
    public static GuestMemory Adopt(FileDescriptor file, GuestMemoryOptions options)
    {
        string subject = Subject(options.Size);
        file.CheckSealed(options.Size, subject);
        return Map(file, options with { Populate = false }, subject);
    }

    /// <summary>
    /// Puts the pages that the guest has used into this process's page tables, so that nobody waits for them later. Pages that were never
    /// touched stay as they are.
    /// </summary>
    public void Prefault()
    {
        for (long start = NextData(0); start >= 0;)
        {
            long end = LibC.lseek(File.Number, start, SEEK_HOLE);
            if (end <= start)
            {
                return;
            }

            // SAFETY: SEEK_HOLE stays within the file, and the mapping has its size. It is an advice: what it does not do, a fault will.
            _ = LibC.madvise(_host + start, (size_t)(ulong)(end - start), MADV_POPULATE_WRITE);
            start = NextData(end);
        }
    }

    /// <summary>The span of guest memory at <paramref name="address"/>; false when it is not all RAM of one region.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryGetSpan(GuestAddress address, uint length, out Span<byte> span)
    {
        byte* host = Translate(address.Value, length);
        // SAFETY: Translate has checked that all `length` bytes lie in one mapped region.
        span = host is null || length > int.MaxValue ? default : new Span<byte>(host, (int)length);
        return host is not null && length <= int.MaxValue;
    }

    /// <summary>A checked, fixed window for repeated access, such as one ring of a virtqueue.</summary>
    public bool TryGetWindow(GuestAddress address, uint length, out GuestWindow window)
    {
        byte* host = Translate(address.Value, length);
        window = host is null ? default : new GuestWindow(host, length);
        return host is not null;
    }

    /// <summary>Reads one value in the guest's byte order (little endian), unaligned.</summary>
    public bool TryRead<T>(GuestAddress address, out T value) where T : unmanaged
    {
        byte* host = Translate(address.Value, (uint)sizeof(T));
        value = host is null ? default : Unsafe.ReadUnaligned<T>(host);
        return host is not null;
    }

    /// <summary>Writes one value in the guest's byte order (little endian), unaligned.</summary>
    public bool TryWrite<T>(GuestAddress address, T value) where T : unmanaged
    {
        byte* host = Translate(address.Value, (uint)sizeof(T));
        if (host is null)
        {
            return false;
        }

        Unsafe.WriteUnaligned(host, value);
        return true;
    }

    /// <summary>Copies host bytes into RAM, as a boot loader does.</summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not all RAM.</exception>
    public void Write(GuestAddress address, ReadOnlySpan<byte> bytes)
    {
        if (!TryGetSpan(address, (uint)bytes.Length, out Span<byte> target))
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"{bytes.Length} bytes at {address} do not lie in guest RAM ({Size >> 20} MiB).");
        }

        bytes.CopyTo(target);
    }

    /// <summary>
    /// Zeroes a range, as a boot loader does for .bss. Whole blocks of 2 MiB of ordinary memory are given back rather than written: they read
    /// as zero and take room when the guest touches them. Less than that would break a transparent huge page up.
    /// </summary>
    /// <exception cref="ArgumentOutOfRangeException">The range is not all RAM.</exception>
    public void Clear(GuestAddress address, ulong length)
    {
        if (length == 0)
        {
            return;
        }

        byte* host = Translate(address.Value, length);
        if (host is null)
        {
            throw new ArgumentOutOfRangeException(nameof(address), $"{length} bytes at {address} do not lie in guest RAM ({Size >> 20} MiB).");
        }

        ulong start = (ulong)(host - _host);
        ulong firstPage = (start + HugePageSize - 1) & ~(HugePageSize - 1);
        ulong lastPage = (start + length) & ~(HugePageSize - 1);
        if (!_sparse || firstPage >= lastPage || !PunchHole(firstPage, lastPage - firstPage))
        {
            NativeMemory.Clear(host, (nuint)length);
            return;
        }

        // SAFETY: both edges lie within the range that Translate has checked.
        NativeMemory.Clear(host, (nuint)(firstPage - start));
        NativeMemory.Clear(_host + lastPage, (nuint)(start + length - lastPage));
    }

    /// <summary>True when all bytes of the range are RAM of one region.</summary>
    public bool Contains(GuestAddress address, ulong length) => Translate(address.Value, length) is not null;

    public void Dispose()
    {
        if (_disposed)
        {
            return;
        }

        _disposed = true;
        _ = LibC.munmap(_reserved, (size_t)(Size + 3 * GuardSize));
        File.Dispose();
    }

    /// <summary>The host pointer for a range of one region, or null. Zero-length ranges must start in RAM.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    internal byte* Translate(ulong address, ulong length)
    {
        MemoryRegion low = _low;
        if (address < low.Size)
        {
            return length <= low.Size - address ? low.Host + address : null;
        }

        return TranslateHigh(address, length);
    }

    private bool PunchHole(ulong offset, ulong length)
        => LibC.fallocate(File.Number, LibC.FALLOC_FL_PUNCH_HOLE | LibC.FALLOC_FL_KEEP_SIZE, (long)offset, (long)length) == 0;

    private byte* TranslateHigh(ulong address, ulong length)
    {
        MemoryRegion? high = _high;
        if (high is null || address < HighStart)
        {
            return null;
        }

        ulong offset = address - HighStart;
        return offset < high.Size && length <= high.Size - offset ? high.Host + offset : null;
    }

    private long NextData(long from) => LibC.lseek(File.Number, from, SEEK_DATA);

    private static string Subject(ulong size) => $"guest memory of {size >> 20} MiB";

    [SuppressMessage("Reliability", "CA2000", Justification = "Ownership of the file goes to the returned object.")]
    private static GuestMemory Map(FileDescriptor file, GuestMemoryOptions options, string subject)
    {
        ulong reservedSize = options.Size + 3 * GuardSize;
        void* reserved = LibC.mmap(null, (size_t)reservedSize, LibC.PROT_NONE, LibC.MAP_PRIVATE | LibC.MAP_ANONYMOUS | LibC.MAP_NORESERVE, -1, 0);
        if (reserved == LibC.MAP_FAILED)
        {
            throw new LinuxException("mmap", subject, LibC.errno, "Choose a smaller --memory.");
        }

        // SAFETY: a shared mapping of the whole file inside the range just reserved, owned by the returned object alone.
        void* host = (void*)(((ulong)reserved + 2 * GuardSize - 1) & ~(GuardSize - 1));
        if (LibC.mmap(host, (size_t)options.Size, LibC.PROT_READ | LibC.PROT_WRITE, LibC.MAP_SHARED | LibC.MAP_NORESERVE | LibC.MAP_FIXED, file.Number, 0) == LibC.MAP_FAILED)
        {
            int errno = LibC.errno;
            _ = LibC.munmap(reserved, (size_t)reservedSize);
            throw new LinuxException("mmap", subject, errno, options.HugePages ? GuestMemoryFile.HugePageAdvice : "Choose a smaller --memory.");
        }

        // Guest RAM has no place in a core dump of the VMM.
        _ = LibC.madvise(host, (size_t)options.Size, LibC.MADV_DONTDUMP);
        _ = LibC.madvise(host, (size_t)options.Size, MADV_HUGEPAGE);
        if ((options.Populate || options.HugePages) && LibC.madvise(host, (size_t)options.Size, MADV_POPULATE_WRITE) != 0)
        {
            int errno = LibC.errno;
            _ = LibC.munmap(reserved, (size_t)reservedSize);
            throw new LinuxException("madvise(MADV_POPULATE_WRITE)", subject, errno, options.HugePages ? GuestMemoryFile.HugePageAdvice : "Choose a smaller --memory.");
        }

        return new GuestMemory(file, options, (byte*)host, (byte*)reserved);
    }
}
