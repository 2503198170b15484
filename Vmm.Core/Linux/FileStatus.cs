using System.Runtime.InteropServices;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>stat(2) of a path.</summary>
internal static unsafe class FileStatus
{
    /// <summary>False when there is nothing, or nothing that may be seen.</summary>
    /// <param name="path">The path.</param>
    /// <param name="followLink">Of a symbolic link: what it leads to rather than the link itself.</param>
    /// <param name="status">As of struct stat.</param>
    public static bool TryGet(string path, bool followLink, out stat status)
    {
        byte* name = (byte*)Marshal.StringToCoTaskMemUTF8(path);
        // SAFETY: the name ends in a zero, and the structure stays where it is during the call.
        fixed (stat* target = &status)
        {
            int result = followLink ? LibC.stat(name, target) : LibC.lstat(name, target);
            Marshal.FreeCoTaskMem((nint)name);
            return result == 0;
        }
    }
}
