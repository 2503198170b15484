using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>The program that this process runs.</summary>
public static unsafe class ProcessImage
{
    /// <summary>Runs another one in its place, with the same process id and parent (execve(2)).</summary>
    /// <param name="path">The file.</param>
    /// <param name="arguments">All of them, the program's name first.</param>
    /// <param name="descriptors">Open files that stay open, under their numbers.</param>
    /// <exception cref="LinuxException">It can't be; nothing has changed.</exception>
    public static void Replace(string path, IReadOnlyList<string> arguments, params IReadOnlyList<FileDescriptor> descriptors)
    {
        byte* file = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        byte** list = (byte**)NativeMemory.AllocZeroed((nuint)arguments.Count + 1, (nuint)sizeof(byte*));
        for (int i = 0; i < arguments.Count; i++)
        {
            list[i] = (byte*)Marshal.StringToCoTaskMemUTF8(arguments[i]);
        }

        Keep(descriptors, 0);
        _ = Libc.execv(file, list);

        int error = LibC.errno;
        Keep(descriptors, LibC.FD_CLOEXEC);
        for (int i = 0; i < arguments.Count; i++)
        {
            Marshal.FreeCoTaskMem((nint)list[i]);
        }

        NativeMemory.Free(list);
        Marshal.FreeCoTaskMem((nint)file);
        throw new LinuxException("execv", path, error);
    }

    private static void Keep(IReadOnlyList<FileDescriptor> descriptors, int flags)
    {
        foreach (FileDescriptor descriptor in descriptors)
        {
            _ = LibC.fcntl(descriptor.Number, LibC.F_SETFD, flags);
        }
    }
}
