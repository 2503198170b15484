using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>Where a sparse file has data (lseek(2), SEEK_DATA and SEEK_HOLE). Elsewhere it reads as zeros, and is best not read at all.</summary>
public static class FileExtents
{
    private const int SEEK_DATA = 3;
    private const int SEEK_HOLE = 4;

    /// <summary>Start and length of each extent below <paramref name="size"/>, in order. A file system that does not know says that all is data.</summary>
    /// <remarks>Moves the file's offset.</remarks>
    public static IEnumerable<(ulong Start, ulong Length)> Find(FileDescriptor file, ulong size)
    {
        for (ulong at = 0; at < size;)
        {
            long start = Seek(file, at, SEEK_DATA);
            if (start == -LibC.ENXIO)
            {
                yield break; // nothing but a hole up to the end
            }

            long end = start < 0 ? start : Seek(file, (ulong)start, SEEK_HOLE);
            (ulong first, ulong last) = end < 0 ? (at, size) : ((ulong)start, Math.Min((ulong)end, size));
            if (first < last)
            {
                yield return (first, last - first);
            }

            at = Math.Max(last, at + 1);
        }
    }

    private static long Seek(FileDescriptor file, ulong from, int whence)
    {
        long found = (long)LibC.lseek(file.Number, (long)from, whence);
        return found >= 0 ? found : -LibC.errno;
    }
}
