using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>What the VMM needs from libc and Tmds.LibC does not have. C names are kept; errno is <see cref="LibC.errno"/>.</summary>
public static unsafe partial class Libc
{
    private const string Library = "libc";

    public const int SIG_BLOCK = 0;

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint readv(int fd, iovec* iov, int iovcnt);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint writev(int fd, iovec* iov, int iovcnt);

    [LibraryImport(Library)]
    public static partial int gettid();

    [LibraryImport(Library, SetLastError = true)]
    public static partial int tgkill(int tgid, int tid, int sig);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int execv(byte* path, byte** argv);

    /// <summary>Returns an error number, not -1.</summary>
    [LibraryImport(Library)]
    public static partial int pthread_sigmask(int how, ulong* set, ulong* oldset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int flock(int fd, int operation);

    /// <summary>Here for what glibc has no function for before 2.36, which the binary must not need.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth);
}
