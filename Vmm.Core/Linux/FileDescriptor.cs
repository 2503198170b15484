using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>An owned file descriptor; closed once.</summary>
public class FileDescriptor : SafeHandleMinusOneIsInvalid
{
    public FileDescriptor(int fd, bool ownsHandle = true) : base(ownsHandle) => SetHandle(fd);

    /// <summary>The number itself, valid while this object is alive and not disposed.</summary>
    public int Number => (int)handle;

    /// <summary>A second descriptor for the same open file, close-on-exec.</summary>
    /// <param name="least">It gets this number or a higher one.</param>
    public FileDescriptor Duplicate(int least = 3)
    {
        int fd = LinuxException.ThrowIfFailed(LibC.fcntl(Number, LibC.F_DUPFD_CLOEXEC, least), "fcntl(F_DUPFD_CLOEXEC)", $"fd {Number}");
        return new FileDescriptor(fd);
    }

    private const int SYS_kcmp = 312;
    private const int KCMP_FILE = 0;

    private const int F_ADD_SEALS = 1033;
    private const int F_GET_SEALS = 1034;

    /// <summary>All there is on a file of a tmpfs that is no memfd.</summary>
    private const int F_SEAL_SEAL = 1;

    /// <summary>F_SEAL_SEAL, F_SEAL_SHRINK, F_SEAL_GROW.</summary>
    private const int SizeSeals = 0x7;

    private const ushort CreationMode = 0x1B6; // 0666, less the umask; for O_CREAT

    /// <summary>Opens a path with O_CLOEXEC.</summary>
    /// <exception cref="LinuxException">open(2) failed; <paramref name="advice"/> tells what to do.</exception>
    public static unsafe FileDescriptor Open(string path, int flags, string? advice = null)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        try
        {
            int fd = LinuxException.ThrowIfFailed(LibC.open(name, flags | LibC.O_CLOEXEC, (mode_t)CreationMode), "open", path, advice);
            return new FileDescriptor(fd);
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)name);
        }
    }

    /// <summary>A memfd of no bytes, close-on-exec, that can be sealed.</summary>
    /// <param name="name">As /proc shows it.</param>
    /// <param name="flags">More MFD_ flags.</param>
    /// <param name="subject">What it is for, in messages.</param>
    /// <param name="advice">What to do when it can't be had.</param>
    public static unsafe FileDescriptor CreateMemory(string name, uint flags, string subject, string? advice = null)
    {
        byte* text = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            int fd = LibC.memfd_create(text, LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING | flags);
            return new FileDescriptor(LinuxException.ThrowIfFailed(fd, "memfd_create", subject, advice));
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)text);
        }
    }

    /// <summary>Fixes the size of a memfd for ever: who maps it can't lose pages under the mapping.</summary>
    public void Seal(string subject) => LinuxException.ThrowIfFailed(LibC.fcntl(Number, F_ADD_SEALS, SizeSeals), "fcntl(F_ADD_SEALS)", subject);

    /// <summary>Checks memory that came from somebody else: a memfd that is sealed, or a file without a name in a tmpfs, which can't be sealed.</summary>
    /// <exception cref="LinuxException">It is neither, has another size, or somebody who could not end this process anyway may change its size.</exception>
    public unsafe void CheckSealed(ulong size, string subject)
    {
        int seals = LinuxException.ThrowIfFailed(LibC.fcntl(Number, F_GET_SEALS), "fcntl(F_GET_SEALS)", subject, "It is no memfd.");
        stat status;
        LinuxException.ThrowIfFailed(LibC.fstat(Number, &status), "fstat", subject);
        uint owner = status.st_uid;
        bool isOurs = seals == F_SEAL_SEAL && status.st_nlink == 0 && (owner == 0 || owner == LibC.geteuid());
        if (((seals & SizeSeals) != SizeSeals && !isOurs) || (ulong)(long)status.st_size != size)
        {
            throw new LinuxException(
                "fcntl(F_GET_SEALS)", subject, LibC.EINVAL, $"It has seals 0x{seals:x} and {(long)status.st_size} bytes, where 0x{SizeSeals:x} and {size} are needed.");
        }
    }

    /// <summary>Whether both numbers stand for one open file (kcmp(2)). False where the kernel does not tell.</summary>
    public bool IsSameFile(FileDescriptor other)
    {
        int process = Environment.ProcessId;
        return Libc.syscall(SYS_kcmp, process, process, KCMP_FILE, Number, other.Number) == 0;
    }

    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;
}
