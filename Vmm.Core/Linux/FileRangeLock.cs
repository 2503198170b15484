using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>
/// Locks on byte ranges that belong to an open file (fcntl(2), F_OFD_SETLK): they go with the descriptor into another process, and end when the
/// last descriptor of that open file is closed.
/// </summary>
public static unsafe class FileRangeLock
{
    private const int F_OFD_SETLK = 37;
    private const short F_RDLCK = 0;
    private const short F_WRLCK = 1;
    private const short F_UNLCK = 2;

    /// <summary>Takes a lock, or gets the errno why not: EAGAIN (or EACCES) while another open file has one that is in the way; 0 when it was taken.</summary>
    /// <param name="file">Open for writing when <paramref name="exclusive"/>.</param>
    /// <param name="exclusive">Nobody else may have one; otherwise others may have such as well.</param>
    /// <param name="start">The first byte, which need not exist.</param>
    /// <param name="length">1 or more.</param>
    public static int TryTake(FileDescriptor file, bool exclusive, long start, long length) => Set(file, exclusive ? F_WRLCK : F_RDLCK, start, length);

    /// <summary>Gives one up.</summary>
    public static void Release(FileDescriptor file, long start, long length) => Set(file, F_UNLCK, start, length);

    private static int Set(FileDescriptor file, short type, long start, long length)
    {
        flock64 request = new() { l_type = type, l_start = start, l_len = length };
        return LibC.fcntl(file.Number, F_OFD_SETLK, &request) == 0 ? 0 : LibC.errno;
    }

    /// <summary>struct flock of fcntl.h.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct flock64
    {
        public short l_type;
        public short l_whence;
        public long l_start;
        public long l_len;
        public int l_pid;
    }
}
