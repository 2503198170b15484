using System.Globalization;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A descriptor of another process, duplicated into this one (pidfd_getfd(2)).</summary>
internal static partial class BorrowedDescriptor
{
    /// <summary>The one that is open on <paramref name="path"/>. Skips the test where the host does not allow it.</summary>
    public static FileDescriptor Take(VmmProcess process, string path)
    {
        string number = Path.GetFileName(Directory.EnumerateFiles($"/proc/{process.Id}/fd").Single(link => new FileInfo(link).LinkTarget == path));
        using FileDescriptor target = new(LinuxException.ThrowIfFailed(pidfd_open(process.Id, 0), "pidfd_open", "vmm"));
        int fd = pidfd_getfd(target.Number, int.Parse(number, CultureInfo.InvariantCulture), 0);
        Assert.SkipWhen(fd < 0, $"pidfd_getfd: errno {LibC.errno}");
        return new FileDescriptor(fd);
    }

    [LibraryImport("libc", SetLastError = false)]
    private static partial int pidfd_open(int pid, uint flags);

    [LibraryImport("libc", SetLastError = false)]
    private static partial int pidfd_getfd(int pidfd, int targetfd, uint flags);
}
