namespace Vmm.Core.Machine.Boot;

/// <summary>What a machine boots.</summary>
/// <param name="Kernel">An ELF64 image, with a PVH note or a 64-bit entry.</param>
/// <param name="Initrd">A module for the kernel, or null.</param>
/// <param name="CommandLine">The kernel's command line, as the user gave it.</param>
/// <param name="Devices">virtio-mmio devices that are appended to the command line; none when the user wants it as it is.</param>
public sealed record BootConfig(BootImage Kernel, BootImage? Initrd, string CommandLine, IReadOnlyList<VirtioMmioSlot> Devices);
