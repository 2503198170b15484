using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Memory;

/// <summary>
/// The file that guest RAM is, so that other processes can map it: a sealed memfd; where those have no transparent huge pages, one in a tmpfs that
/// has them. A fault of the guest's brings 2 MiB then, and the host's tables of its pages are a level shorter.
/// </summary>
public static class GuestMemoryFile
{
    /// <summary>As /proc shows it.</summary>
    public const string Name = "vmm-guest-ram";

    private const string SettingPath = "/sys/kernel/mm/transparent_hugepage/shmem_enabled";

    /// <summary>The huge pages of <see cref="GuestMemoryOptions.HugePages"/> are the hugetlb pool's.</summary>
    internal const string HugePageAdvice = "Reserve huge pages first: sysctl vm.nr_hugepages=COUNT (2 MiB each), or run without --hugepages.";

    /// <summary>Whether the RAM of a guest of this process gets transparent huge pages, as far as the host has any.</summary>
    public static bool HasTransparentHugePages
    {
        get
        {
            using FileDescriptor? file = TryCreateInTmpfs();
            return file is not null || IsSetTo("always", "within_size", "advise", "force");
        }
    }

    internal static FileDescriptor Create(GuestMemoryOptions options, string subject)
    {
        FileDescriptor? file = options.HugePages ? null : TryCreateInTmpfs();
        bool isMemfd = file is null;
        file ??= FileDescriptor.CreateMemory(Name, options.HugePages ? LibC.MFD_HUGETLB : 0u, subject, options.HugePages ? HugePageAdvice : null);
        try
        {
            LinuxException.ThrowIfFailed(LibC.ftruncate(file.Number, checked((long)options.Size)), "ftruncate", subject);
            if (isMemfd)
            {
                file.Seal(subject);
            }

            return file;
        }
        catch
        {
            file.Dispose();
            throw;
        }
    }

    private static FileDescriptor? TryCreateInTmpfs() => IsSetTo("never") ? HugePageFile.TryCreate(Name) : null;

    // The setting is a list with the one that holds in brackets.
    private static bool IsSetTo(params ReadOnlySpan<string> choices)
    {
        try
        {
            string setting = File.ReadAllText(SettingPath);
            foreach (string choice in choices)
            {
                if (setting.Contains($"[{choice}]", StringComparison.Ordinal))
                {
                    return true;
                }
            }
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // A kernel without huge pages.
        }

        return false;
    }
}
