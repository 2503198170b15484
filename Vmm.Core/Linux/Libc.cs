using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>What the VMM needs from libc and Tmds.LibC does not have, or has wrong. C names are kept; errno is <see cref="LibC.errno"/>.</summary>
public static unsafe partial class Libc
{
    private const string Library = "libc";

    public const int SIG_BLOCK = 0;

    public const int POSIX_FADV_DONTNEED = 4;

    public const int SCHED_OTHER = 0;
    public const int SCHED_FIFO = 1;
    public const int SCHED_RESET_ON_FORK = 0x40000000;
    public const int PRIO_PROCESS = 0;

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint readv(int fd, iovec* iov, int iovcnt);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint writev(int fd, iovec* iov, int iovcnt);

    /// <summary>That of Tmds.LibC 0.5.0 (and ppoll) leaves <see cref="LibC.errno"/> as an earlier call has set it.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial int poll(pollfd* fds, nuint nfds, int timeout);

    [LibraryImport(Library)]
    public static partial int gettid();

    [LibraryImport(Library, SetLastError = true)]
    public static partial int tgkill(int tgid, int tid, int sig);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_setscheduler(int pid, int policy, sched_param* param);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_getscheduler(int pid);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int sched_getparam(int pid, sched_param* param);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int getpriority(int which, int who);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int setpriority(int which, int who, int prio);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int execv(byte* path, byte** argv);

    /// <summary>Returns an error number, not -1.</summary>
    [LibraryImport(Library)]
    public static partial int pthread_sigmask(int how, ulong* set, ulong* oldset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int flock(int fd, int operation);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint preadv(int fd, iovec* iov, int iovcnt, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint pwritev(int fd, iovec* iov, int iovcnt, long offset);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fallocate(int fd, int mode, long offset, long len);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int fdatasync(int fd);

    /// <summary>Returns an error number, not -1.</summary>
    [LibraryImport(Library)]
    public static partial int posix_fadvise(int fd, long offset, long len, int advice);

    [LibraryImport(Library, SetLastError = true)]
    public static partial nint getrandom(byte* buf, nuint buflen, uint flags);

    /// <summary>Here for what glibc has no function for before 2.36, which the binary must not need.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth);

    /// <summary>The same, for calls of five.</summary>
    [LibraryImport(Library, SetLastError = true)]
    public static partial nint syscall(nint number, nint first, nint second, nint third, nint fourth, nint fifth);

    /// <summary>This and the next three return an error number, not -1.</summary>
    [LibraryImport(Library)]
    public static partial int posix_spawn(int* pid, byte* path, byte* file_actions, void* attrp, byte** argv, byte** envp);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_init(byte* file_actions);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_adddup2(byte* file_actions, int fildes, int newfildes);

    [LibraryImport(Library)]
    public static partial int posix_spawn_file_actions_destroy(byte* file_actions);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int waitpid(int pid, int* stat_loc, int options);

    [LibraryImport(Library, SetLastError = true)]
    public static partial int prctl(int option, nuint arg2, nuint arg3, nuint arg4, nuint arg5);
}

/// <summary>sched.h.</summary>
public struct sched_param
{
    public int sched_priority;
}
