using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>A kernel whose file is known to be good: where it goes, and how it begins. Nothing of it is in guest RAM yet.</summary>
internal abstract class KernelImage
{
    private protected KernelImage(BootImage file) => File = file;

    public BootImage File { get; }

    /// <summary>What it takes of guest RAM, in the order of addresses.</summary>
    public abstract IReadOnlyList<MemoryExtent> Extents { get; }

    /// <summary>The initrd ends at this address or below.</summary>
    public virtual ulong InitrdLimit => GuestMemory.LowLimit;

    /// <summary>It finds its devices in the ACPI tables, unless its command line forbids that.</summary>
    public abstract bool ReadsAcpi { get; }

    /// <summary>Bytes of its command line with the final NUL.</summary>
    public virtual int CommandLineLimit => MachineLayout.CommandLineLimit;

    public abstract CpuEntry FindEntry();

    /// <summary>Its own part of the zero page, from <see cref="LinuxBootParameters.SetupHeaderStart"/> on. Empty for a kernel that has none.</summary>
    public virtual ReadOnlySpan<byte> SetupHeader => [];

    /// <summary>Fills its extents.</summary>
    public abstract void CopyTo(GuestMemory memory);

    /// <summary>Recognises the format.</summary>
    /// <exception cref="BootException">It is none that can be booted, with the field and what to do.</exception>
    public static KernelImage Parse(BootImage file) => LinuxImage.IsLinuxImage(file) ? LinuxImage.Parse(file) : ElfImage.Parse(file);
}
