using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Memory;

/// <summary>
/// An ordered list of byte ranges in guest RAM (or in a <see cref="HostBuffer"/>), in the form that readv and writev take.
/// Made once, filled and cleared many times; never allocates after construction. Not thread-safe.
/// </summary>
public sealed unsafe partial class ScatterList : IDisposable
{
    /// <summary>The most ranges that one system call takes (IOV_MAX).</summary>
    public const int MaxCount = 1024;

    private iovec* _entries; // SAFETY: Capacity entries of native memory; indices below are checked against Count.

    public ScatterList(int capacity = MaxCount)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(capacity);
        Capacity = capacity;
        _entries = (iovec*)NativeMemory.AllocZeroed((nuint)capacity, (nuint)sizeof(iovec));
    }

    ~ScatterList() => Free();

    public int Capacity { get; private set; }

    public int Count { get; private set; }

    /// <summary>Bytes in all ranges.</summary>
    public long TotalBytes { get; private set; }

    public void Clear()
    {
        Count = 0;
        TotalBytes = 0;
    }

    /// <summary>Appends a range of guest RAM; false when it is not all RAM or the list is full.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool TryAdd(GuestMemory memory, GuestAddress address, uint length)
    {
        byte* host = memory.Translate(address.Value, length);
        return host is not null && TryAdd(host, length);
    }

    /// <summary>Appends host memory, for bytes that have no place in the guest yet.</summary>
    public bool TryAdd(HostBuffer buffer, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)buffer.Length, nameof(length));
        return TryAdd(buffer.Pointer, (uint)length);
    }

    /// <summary>Appends <paramref name="length"/> bytes of host memory from <paramref name="offset"/> on; false when the list is full.</summary>
    public bool TryAdd(HostBuffer buffer, int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset, (uint)buffer.Length, nameof(offset));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(buffer.Length - offset), nameof(length));
        return TryAdd(buffer.Pointer + offset, (uint)length);
    }

    /// <summary>
    /// Puts the first <paramref name="length"/> bytes of <paramref name="buffer"/> in the place of the list's first ones, so that a header
    /// which was checked is the one that is sent. False, and nothing changed, when the list is too full for a range to be cut in two.
    /// </summary>
    public bool TryReplaceStart(HostBuffer buffer, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)buffer.Length, nameof(length));
        ArgumentOutOfRangeException.ThrowIfGreaterThan(length, TotalBytes);
        int covered = 0;
        ulong cut = (ulong)length;
        while (cut > 0 && cut >= (ulong)_entries[covered].iov_len)
        {
            cut -= (ulong)_entries[covered++].iov_len;
        }

        int count = Count - covered + 1;
        if (count > Capacity)
        {
            return false;
        }

        // SAFETY: count - 1 entries move within the Capacity entries of the list.
        Buffer.MemoryCopy(_entries + covered, _entries + 1, (long)(Capacity - 1) * sizeof(iovec), (long)(count - 1) * sizeof(iovec));
        if (cut > 0)
        {
            _entries[1].iov_base = (byte*)_entries[1].iov_base + cut;
            _entries[1].iov_len = (size_t)((ulong)_entries[1].iov_len - cut);
        }

        _entries[0] = new iovec { iov_base = buffer.Pointer, iov_len = length };
        Count = count;
        return true;
    }

    /// <summary>Drops the last ranges until <paramref name="count"/> are left.</summary>
    public void Truncate(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count, nameof(count));
        for (int i = count; i < Count; i++)
        {
            TotalBytes -= (long)(ulong)_entries[i].iov_len;
        }

        Count = count;
    }

    /// <summary>Drops the first <paramref name="count"/> ranges; the others move down.</summary>
    public void RemoveFirst(int count)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)count, (uint)Count, nameof(count));
        for (int i = 0; i < count; i++)
        {
            TotalBytes -= (long)(ulong)_entries[i].iov_len;
        }

        Count -= count;
        Buffer.MemoryCopy(_entries + count, _entries, (long)Capacity * sizeof(iovec), (long)Count * sizeof(iovec));
    }

    /// <summary>The span of one range.</summary>
    public Span<byte> this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return new Span<byte>(_entries[index].iov_base, checked((int)(ulong)_entries[index].iov_len));
        }
    }

    /// <summary>At most the first <paramref name="most"/> bytes of one range.</summary>
    public Span<byte> GetStart(int index, int most)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
        ArgumentOutOfRangeException.ThrowIfNegative(most);
        return new Span<byte>(_entries[index].iov_base, (int)Math.Min((ulong)most, (ulong)_entries[index].iov_len));
    }

    /// <summary>Gathers bytes into <paramref name="target"/>, from <paramref name="offset"/> on. Returns how many there were.</summary>
    public int CopyTo(long offset, scoped Span<byte> target)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        int done = 0;
        for (int i = 0; i < Count && done < target.Length; i++)
        {
            long length = (long)(ulong)_entries[i].iov_len;
            if (offset >= length)
            {
                offset -= length;
                continue;
            }

            int part = (int)Math.Min(length - offset, target.Length - done);
            new ReadOnlySpan<byte>((byte*)_entries[i].iov_base + offset, part).CopyTo(target[done..]);
            done += part;
            offset = 0;
        }

        return done;
    }

    /// <summary>Scatters <paramref name="source"/> over the ranges, from <paramref name="offset"/> on. Returns how many bytes fitted.</summary>
    public int CopyFrom(long offset, scoped ReadOnlySpan<byte> source)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(offset);
        int done = 0;
        for (int i = 0; i < Count && done < source.Length; i++)
        {
            long length = (long)(ulong)_entries[i].iov_len;
            if (offset >= length)
            {
                offset -= length;
                continue;
            }

            int part = (int)Math.Min(length - offset, source.Length - done);
            source.Slice(done, part).CopyTo(new Span<byte>((byte*)_entries[i].iov_base + offset, part));
            done += part;
            offset = 0;
        }

        return done;
    }

    /// <summary>readv(2) into all ranges. Returns the bytes read, or -errno.</summary>
    public int ReadFrom(FileDescriptor file)
    {
        nint result = Libc.readv(file.Number, _entries, Math.Min(Count, MaxCount));
        return result >= 0 ? (int)result : -LibC.errno;
    }

    /// <summary>writev(2) of all ranges. Returns the bytes written, or -errno.</summary>
    public int WriteTo(FileDescriptor file)
    {
        nint result = Libc.writev(file.Number, _entries, Math.Min(Count, MaxCount));
        return result >= 0 ? (int)result : -LibC.errno;
    }

    public void Dispose()
    {
        Free();
        GC.SuppressFinalize(this);
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    private bool TryAdd(byte* host, uint length)
    {
        if (Count == Capacity)
        {
            return false;
        }

        _entries[Count++] = new iovec { iov_base = host, iov_len = length };
        TotalBytes += length;
        return true;
    }

    private void Free()
    {
        NativeMemory.Free(_entries);
        _entries = null;
        Capacity = 0;
        Clear();
    }
}
