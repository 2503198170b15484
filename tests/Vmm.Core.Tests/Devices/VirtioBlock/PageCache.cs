using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>What the host holds of a file.</summary>
internal static unsafe partial class PageCache
{
    private const int RWF_NOWAIT = 8;

    /// <summary>Whether its first byte can be read without waiting for the storage.</summary>
    public static bool Has(FileDescriptor file)
    {
        byte first;
        iovec range = new() { iov_base = &first, iov_len = 1 };
        nint result = preadv2(file.Number, &range, 1, 0, RWF_NOWAIT);
        Assert.SkipWhen(result < 0 && LibC.errno == LibC.EOPNOTSUPP, "the file system can't read without waiting");
        return result == 1;
    }

    [LibraryImport("libc", SetLastError = true)]
    private static partial nint preadv2(int fd, iovec* iov, int iovcnt, long offset, int flags);
}
