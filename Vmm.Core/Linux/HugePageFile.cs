using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>
/// A file without a name, of transparent huge pages wherever it is mapped with MADV_HUGEPAGE. A memfd has those only where the host's shmem_enabled
/// lets it, which by default is nowhere; a tmpfs that one mounts oneself has what its mount options say.
/// </summary>
internal static unsafe class HugePageFile
{
    private const int SYS_fsopen = 430; // these three since Linux 5.2
    private const int SYS_fsconfig = 431;
    private const int SYS_fsmount = 432;
    private const uint FSOPEN_CLOEXEC = 1;
    private const uint FSCONFIG_SET_STRING = 1;
    private const uint FSCONFIG_CMD_CREATE = 6;
    private const uint FSMOUNT_CLOEXEC = 1;
    private const uint MOUNT_ATTR_NOSUID_NODEV_NOEXEC = 0xE;
    private const ushort OwnerOnly = 0x180; // 0600

    /// <summary>Creates one of no bytes, close-on-exec. Null where that is not to be had: it takes CAP_SYS_ADMIN, and a kernel with huge pages.</summary>
    /// <param name="name">As /proc shows it.</param>
    public static FileDescriptor? TryCreate(string name)
    {
        using FileDescriptor? options = Open("tmpfs\0"u8);
        if (options is null || !Set(options, "huge\0"u8, "advise\0"u8) || !Set(options, "size\0"u8, "0\0"u8)
            || Libc.syscall(SYS_fsconfig, options.Number, (nint)FSCONFIG_CMD_CREATE, 0, 0, 0) < 0)
        {
            return null;
        }

        // Attached to no folder: it goes when its last file does.
        using FileDescriptor? mount = Adopt(Libc.syscall(SYS_fsmount, options.Number, (nint)FSMOUNT_CLOEXEC, (nint)MOUNT_ATTR_NOSUID_NODEV_NOEXEC, 0));
        if (mount is null)
        {
            return null;
        }

        byte* text = (byte*)Marshal.StringToCoTaskMemUTF8(name);
        FileDescriptor? file = Adopt(LibC.openat(mount.Number, text, LibC.O_CREAT | LibC.O_EXCL | LibC.O_RDWR | LibC.O_CLOEXEC, (mode_t)OwnerOnly));
        _ = LibC.unlinkat(mount.Number, text, 0);
        Marshal.FreeCoTaskMem((nint)text);
        return file;
    }

    private static FileDescriptor? Open(ReadOnlySpan<byte> type)
    {
        fixed (byte* text = type)
        {
            // SAFETY: it ends in a zero and stays where it is.
            return Adopt(Libc.syscall(SYS_fsopen, (nint)text, (nint)FSOPEN_CLOEXEC, 0, 0));
        }
    }

    private static bool Set(FileDescriptor options, ReadOnlySpan<byte> key, ReadOnlySpan<byte> value)
    {
        fixed (byte* name = key)
        fixed (byte* text = value)
        {
            // SAFETY: both end in a zero and stay where they are.
            return Libc.syscall(SYS_fsconfig, options.Number, (nint)FSCONFIG_SET_STRING, (nint)name, (nint)text, 0) >= 0;
        }
    }

    private static FileDescriptor? Adopt(nint fd) => fd < 0 ? null : new FileDescriptor((int)fd);
}
