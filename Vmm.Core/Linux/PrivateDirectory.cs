using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A directory in which nobody else can put or remove anything.</summary>
public static unsafe class PrivateDirectory
{
    private const int LOCK_EX = 2;
    private const ushort OwnerOnly = 0x1C0; // 0700
    private const uint OthersWrite = 0x12; // 0022

    /// <summary>There is a directory, no link to one, that belongs to this user.</summary>
    public static bool IsOwned(string path)
        => FileStatus.TryGet(path, followLink: false, out stat status) && LibC.S_ISDIR(status.st_mode) && (uint)status.st_uid == (uint)LibC.geteuid();

    /// <summary>This process may put something into the directory.</summary>
    public static bool IsWritable(string path)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        int result = LibC.access(name, LibC.W_OK | LibC.X_OK);
        Marshal.FreeCoTaskMem((nint)name);
        return result == 0;
    }

    /// <summary>Makes the directory unless it is there, and looks who may write to it.</summary>
    /// <returns>Null, or why it can't be used: a clause.</returns>
    public static string? Prepare(string path)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        int result = LibC.mkdir(name, (mode_t)OwnerOnly);
        int errno = LibC.errno;
        Marshal.FreeCoTaskMem((nint)name);
        if (result != 0 && errno != LibC.EEXIST)
        {
            return $"mkdir failed: {LinuxException.Describe(errno)}";
        }

        return !IsOwned(path) ? "it is no directory that belongs to this user"
            : FileStatus.TryGet(path, followLink: false, out stat status) && ((uint)status.st_mode & OthersWrite) != 0 ? "others may write to it"
            : null;
    }

    /// <summary>Waits until no other process holds the directory, and holds it until the result is disposed (flock(2)).</summary>
    public static FileDescriptor Lock(string path)
    {
        FileDescriptor directory = FileDescriptor.Open(path, LibC.O_RDONLY | LibC.O_DIRECTORY);
        while (Libc.flock(directory.Number, LOCK_EX) != 0)
        {
            if (LibC.errno != LibC.EINTR)
            {
                int errno = LibC.errno;
                directory.Dispose();
                throw new LinuxException("flock", path, errno);
            }
        }

        return directory;
    }
}
