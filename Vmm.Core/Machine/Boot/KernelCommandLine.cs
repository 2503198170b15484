using System.Text;

namespace Vmm.Core.Machine.Boot;

/// <summary>The command line as the guest gets it.</summary>
internal static class KernelCommandLine
{
    /// <summary>The user's words, then the devices for a kernel that does not look into ACPI's tables, in bytes with a final NUL.</summary>
    /// <exception cref="BootException">It is too long, or holds a NUL.</exception>
    public static byte[] Build(BootConfig config, KernelImage kernel)
    {
        string words = config.CommandLine.Trim();
        IReadOnlyList<VirtioMmioSlot> devices = kernel.ReadsAcpi || !config.AnnounceDevices ? [] : config.Devices;
        string text = string.Join(' ', devices.Select(d => d.ToCommandLine()).Prepend(words).Where(s => s.Length > 0));
        if (text.Contains('\0'))
        {
            throw new BootException("command line", "it holds a NUL character", "Remove it: the kernel would stop reading there.");
        }

        byte[] bytes = Encoding.UTF8.GetBytes(text + '\0');
        return bytes.Length <= kernel.CommandLineLimit
            ? bytes
            : throw new BootException(
                "command line",
                $"it is {bytes.Length - 1} bytes long with its {devices.Count} virtio_mmio.device entries, more than {kernel.CommandLineLimit - 1}",
                "Shorten it.");
    }
}
