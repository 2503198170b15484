using Vmm.Core.Hypervisor;
using Vmm.Core.Machine.Acpi;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>
/// Puts a kernel, its initrd, the structures of its boot protocol and the ACPI tables into guest RAM and says where the first vCPU begins.
/// </summary>
/// <remarks>
/// A bzImage begins at its 64-bit entry, with Linux' zero page. An ELF kernel with a PVH note (XEN_ELFNOTE_PHYS32_ENTRY) begins there in
/// 32-bit protected mode; another 64-bit ELF begins at e_entry in long mode. Everything is checked before the first byte is written.
/// </remarks>
public static class BootLoader
{
    private const ulong PageSize = 4096;

    private static readonly MemoryExtent[] s_reserved =
    [
        new("the boot structures", MachineLayout.BootStart, MachineLayout.BootEnd),
        new("the ACPI tables", MachineLayout.AcpiStart, MachineLayout.RsdpEnd),
    ];

    /// <exception cref="BootException">A file or the command line can't be booted: which field, its value, what to do.</exception>
    public static CpuEntry Load(GuestMemory memory, BootConfig config)
    {
        if (memory.Size < MachineLayout.MinimumMemory)
        {
            throw new BootException(
                config.Kernel.Name, $"guest memory of {memory.Size} bytes is less than {MachineLayout.MinimumMemory}", "Choose a larger --memory.");
        }

        KernelImage kernel = KernelImage.Parse(config.Kernel);
        byte[] commandLine = KernelCommandLine.Build(config, kernel);
        CheckPlacement(memory, kernel);
        CpuEntry entry = kernel.FindEntry();
        HvmModule? module = null;
        if (config.Initrd is { } initrd)
        {
            module = new HvmModule { Address = PlaceInitrd(memory, kernel, initrd), Size = initrd.Length };
            memory.Fill(initrd, 0, module.Value.Address, initrd.Length);
        }

        // ORDER: before the kernel, which may have something of its own there.
        ResetVector.Write(memory);
        kernel.CopyTo(memory);
        BootStructures.WriteDescriptorTable(memory, entry.Mode);
        BootStructures.WritePageTables(memory);
        BootStructures.WriteStartInfo(memory, commandLine, module);
        LinuxBootParameters.Write(memory, kernel.SetupHeader, module, BootStructures.BuildMemoryMap(memory));
        AcpiTables.Write(memory, new AcpiConfig(config.CpuCount, config.Devices));
        return entry;
    }

    private static void CheckPlacement(GuestMemory memory, KernelImage kernel)
    {
        foreach (MemoryExtent extent in kernel.Extents)
        {
            foreach (MemoryExtent reserved in s_reserved.Where(r => extent.Address < r.End && extent.End > r.Address))
            {
                throw new BootException(kernel.File.Name, $"{extent} lies on {reserved}", "Link it elsewhere, such as to 1 MiB (0x100000) or above.");
            }

            if (memory.Contains(new GuestAddress(extent.Address), extent.End - extent.Address))
            {
                continue;
            }

            throw extent.Address < GuestMemory.HighStart && extent.End > GuestMemory.LowLimit
                ? new BootException(
                    kernel.File.Name,
                    $"{extent} lies in the hole for devices (0x{GuestMemory.LowLimit:x} to 0x{GuestMemory.HighStart:x})",
                    "Link it (p_paddr) to an address in guest RAM, such as 0x100000.")
                : new BootException(
                    kernel.File.Name,
                    $"{extent} does not fit guest memory of {memory.Size >> 20} MiB",
                    "Choose a larger --memory, or link it (p_paddr) lower.");
        }
    }

    /// <summary>As high as possible below the hole and the kernel's own limit, on a page of its own, clear of the kernel.</summary>
    private static ulong PlaceInitrd(GuestMemory memory, KernelImage kernel, BootImage initrd)
    {
        IReadOnlyList<MemoryExtent> taken = kernel.Extents;
        ulong end = Math.Min(memory.Regions[0].End.Value, kernel.InitrdLimit);
        for (int i = taken.Count - 1; i >= -1; i--)
        {
            // The gap between this extent (or the low megabyte) and the one above.
            ulong floor = i < 0 ? MachineLayout.HighMemoryStart : Math.Max(taken[i].End, MachineLayout.HighMemoryStart);
            if (end >= floor && end - floor >= initrd.Length)
            {
                ulong address = (end - initrd.Length) & ~(PageSize - 1);
                if (address >= floor)
                {
                    return address;
                }
            }

            end = i < 0 ? 0 : Math.Min(end, taken[i].Address);
        }

        if (initrd.Length > kernel.InitrdLimit)
        {
            throw new BootException(
                initrd.Name, $"the initrd of {initrd.Length} bytes is larger than the {kernel.InitrdLimit} bytes below which this kernel looks for it (initrd_addr_max)", "Choose a smaller one.");
        }

        throw new BootException(
            initrd.Name,
            $"the initrd of {initrd.Length} bytes does not fit into the {memory.Regions[0].Size >> 20} MiB of low guest memory beside the kernel",
            "Choose a larger --memory or a smaller initrd.");
    }
}
