namespace Vmm.Core.Machine.Boot;

/// <summary>What a machine boots.</summary>
/// <param name="Kernel">A bzImage, or an ELF64 image with a PVH note or a 64-bit entry.</param>
/// <param name="Initrd">A module for the kernel, or null.</param>
/// <param name="CommandLine">The kernel's command line, as the user gave it.</param>
/// <param name="Devices">All virtio-mmio devices.</param>
public sealed record BootConfig(BootImage Kernel, BootImage? Initrd, string CommandLine, IReadOnlyList<VirtioMmioSlot> Devices)
{
    /// <summary>vCPUs.</summary>
    public int CpuCount { get; init; } = 1;

    /// <summary>A kernel that does not look for ACPI tables finds its devices on the command line; false when the user wants that as it is.</summary>
    public bool AnnounceDevices { get; init; } = true;
}
