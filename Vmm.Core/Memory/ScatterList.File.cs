using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Memory;

// Reading and writing at a place in a file, in parts.
public sealed unsafe partial class ScatterList
{
    /// <summary>Drops the first <paramref name="length"/> bytes, with the ranges that are empty then.</summary>
    public void RemoveStart(long length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((ulong)length, (ulong)TotalBytes, nameof(length));
        int covered = 0;
        ulong left = (ulong)length;
        while (left > 0 && left >= (ulong)_entries[covered].iov_len)
        {
            left -= (ulong)_entries[covered++].iov_len;
        }

        RemoveFirst(covered);
        if (left > 0)
        {
            _entries[0].iov_base = (byte*)_entries[0].iov_base + left;
            _entries[0].iov_len = (size_t)((ulong)_entries[0].iov_len - left);
            TotalBytes -= (long)left;
        }
    }

    /// <summary>Takes the last byte off and appends it to <paramref name="target"/>, which has room.</summary>
    public void MoveLastByte(ScatterList target)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(TotalBytes, 1);
        ref iovec last = ref _entries[Count - 1];
        ulong length = (ulong)last.iov_len - 1;
        target.TryAdd((byte*)last.iov_base + length, 1);
        last.iov_len = (size_t)length;
        TotalBytes--;
        Count -= length == 0 ? 1 : 0;
    }

    /// <summary>Whether every range begins and ends at a multiple of this power of two, as O_DIRECT wants it.</summary>
    public bool IsAligned(uint alignment)
    {
        ulong bits = 0;
        for (int i = 0; i < Count; i++)
        {
            bits |= (ulong)_entries[i].iov_base | (ulong)_entries[i].iov_len;
        }

        return (bits & (alignment - 1)) == 0;
    }

    /// <summary>preadv(2) into the first bytes of the list. Returns the bytes read, 0 at the file's end, or -errno.</summary>
    /// <param name="file">What is read.</param>
    /// <param name="offset">From here on.</param>
    /// <param name="most">No more bytes than these; 1 or more.</param>
    public int ReadFrom(FileDescriptor file, long offset, int most)
    {
        int count = Shorten(most, out size_t whole);
        nint result = Libc.preadv(file.Number, _entries, count, offset);
        int errno = LibC.errno;
        _entries[count - 1].iov_len = whole;
        return result >= 0 ? (int)result : -errno;
    }

    /// <summary>pwritev(2) of the first bytes of the list. Returns the bytes written, or -errno. See <see cref="ReadFrom(FileDescriptor, long, int)"/>.</summary>
    public int WriteTo(FileDescriptor file, long offset, int most)
    {
        int count = Shorten(most, out size_t whole);
        nint result = Libc.pwritev(file.Number, _entries, count, offset);
        int errno = LibC.errno;
        _entries[count - 1].iov_len = whole;
        return result >= 0 ? (int)result : -errno;
    }

    /// <summary>Finds how many ranges hold the first <paramref name="most"/> bytes, and makes the last one of them end there.</summary>
    /// <param name="most">1 or more.</param>
    /// <param name="whole">The length that this range has had.</param>
    private int Shorten(int most, out size_t whole)
    {
        ArgumentOutOfRangeException.ThrowIfLessThan(Count, 1);
        ArgumentOutOfRangeException.ThrowIfLessThan(most, 1);
        ulong left = (ulong)most;
        int last = 0;
        while (last < Count - 1 && left > (ulong)_entries[last].iov_len)
        {
            left -= (ulong)_entries[last++].iov_len;
        }

        whole = _entries[last].iov_len;
        _entries[last].iov_len = (size_t)Math.Min(left, (ulong)whole);
        return last + 1;
    }
}
