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
    public FileDescriptor Duplicate()
    {
        int fd = LinuxException.ThrowIfFailed(LibC.fcntl(Number, LibC.F_DUPFD_CLOEXEC, 3), "fcntl(F_DUPFD_CLOEXEC)", $"fd {Number}");
        return new FileDescriptor(fd);
    }

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
    public static unsafe FileDescriptor CreateMemory(string name, uint flags = 0, string? advice = null)
    {
        byte* text = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        try
        {
            int fd = LibC.memfd_create(text, LibC.MFD_CLOEXEC | LibC.MFD_ALLOW_SEALING | flags);
            return new FileDescriptor(LinuxException.ThrowIfFailed(fd, "memfd_create", name, advice));
        }
        finally
        {
            Marshal.FreeCoTaskMem((nint)text);
        }
    }

    protected override bool ReleaseHandle() => LibC.close((int)handle) == 0;
}
