using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>
/// Puts a kernel, its initrd and the structures of the PVH boot protocol into guest RAM and says where the first vCPU begins.
/// </summary>
/// <remarks>
/// A kernel with a PVH note (XEN_ELFNOTE_PHYS32_ENTRY) begins there in 32-bit protected mode; another 64-bit ELF begins at e_entry in
/// long mode. Everything is checked before the first byte is written.
/// </remarks>
public static class BootLoader
{
    private const ulong PageSize = 4096;

    /// <exception cref="BootException">A file or the command line can't be booted: which field, its value, what to do.</exception>
    public static CpuEntry Load(GuestMemory memory, BootConfig config)
    {
        if (memory.Size < MachineLayout.MinimumMemory)
        {
            throw new BootException(
                config.Kernel.Name, $"guest memory of {memory.Size} bytes is less than {MachineLayout.MinimumMemory}", "Choose a larger --memory.");
        }

        byte[] commandLine = KernelCommandLine.Build(config.CommandLine, config.Devices);
        ElfImage kernel = ElfImage.Parse(config.Kernel);
        CheckPlacement(memory, kernel);
        CpuEntry entry = FindEntry(kernel);
        ulong initrdAddress = config.Initrd is null ? 0 : PlaceInitrd(memory, kernel, config.Initrd);

        foreach (ElfSegment segment in kernel.Segments)
        {
            Fill(memory, kernel.File, segment.FileOffset, segment.Address, segment.FileSize);
            memory.Clear(new GuestAddress(segment.Address + segment.FileSize), segment.Size - segment.FileSize);
        }

        HvmModule? module = null;
        if (config.Initrd is { } initrd)
        {
            Fill(memory, initrd, 0, initrdAddress, initrd.Length);
            module = new HvmModule { Address = initrdAddress, Size = initrd.Length };
        }

        BootStructures.WriteDescriptorTable(memory);
        BootStructures.WritePageTables(memory);
        BootStructures.WriteStartInfo(memory, commandLine, module);
        return entry;
    }

    private static void CheckPlacement(GuestMemory memory, ElfImage kernel)
    {
        foreach (ElfSegment segment in kernel.Segments)
        {
            if (segment.Address < MachineLayout.BootEnd && segment.End > MachineLayout.BootStart)
            {
                throw new BootException(
                    kernel.File.Name,
                    $"{segment} lies on the boot structures (0x{MachineLayout.BootStart:x} to 0x{MachineLayout.BootEnd:x})",
                    "Link it elsewhere, such as to 1 MiB (0x100000) or above.");
            }

            if (memory.Contains(new GuestAddress(segment.Address), segment.Size))
            {
                continue;
            }

            throw segment.Address < GuestMemory.HighStart && segment.End > GuestMemory.LowLimit
                ? new BootException(
                    kernel.File.Name,
                    $"{segment} lies in the hole for devices (0x{GuestMemory.LowLimit:x} to 0x{GuestMemory.HighStart:x})",
                    "Link it (p_paddr) to an address in guest RAM, such as 0x100000.")
                : new BootException(
                    kernel.File.Name,
                    $"{segment} does not fit guest memory of {memory.Size >> 20} MiB",
                    "Choose a larger --memory, or link it (p_paddr) lower.");
        }
    }

    private static CpuEntry FindEntry(ElfImage kernel)
    {
        GuestAddress startInfo = new(MachineLayout.StartInfo);
        GuestAddress descriptorTable = new(MachineLayout.DescriptorTable);
        if (kernel.PvhEntry is { } pvh)
        {
            return kernel.Segments.Any(s => s.Contains(pvh))
                ? new CpuEntry(CpuMode.Protected32, new GuestAddress(pvh), startInfo, DescriptorTable: descriptorTable)
                : throw new BootException(
                    kernel.File.Name, $"the PVH note's entry 0x{pvh:x} lies in no segment", "Correct the note: it holds a physical address.");
        }

        if (FindPhysicalEntry(kernel) is not { } entry)
        {
            throw new BootException(kernel.File.Name, $"e_entry 0x{kernel.Entry:x} lies in no segment", "Name the entry symbol when linking (-e).");
        }

        return entry < MachineLayout.IdentityMapped
            ? new CpuEntry(CpuMode.Long64, new GuestAddress(entry), startInfo, new GuestAddress(MachineLayout.PageTable), descriptorTable)
            : throw new BootException(
                kernel.File.Name, $"e_entry is at physical 0x{entry:x}, above the {MachineLayout.IdentityMapped >> 30} GiB that are mapped", "Link it below 4 GiB.");
    }

    /// <summary>e_entry as it is, or, for a kernel linked to the upper half, the place its virtual address is loaded to.</summary>
    private static ulong? FindPhysicalEntry(ElfImage kernel)
    {
        if (kernel.Segments.Any(s => s.Contains(kernel.Entry)))
        {
            return kernel.Entry;
        }

        foreach (ElfSegment segment in kernel.Segments)
        {
            if (kernel.Entry - segment.VirtualAddress < segment.Size)
            {
                return kernel.Entry - segment.VirtualAddress + segment.Address;
            }
        }

        return null;
    }

    /// <summary>As high as possible below the hole, on a page of its own, clear of the kernel.</summary>
    private static ulong PlaceInitrd(GuestMemory memory, ElfImage kernel, BootImage initrd)
    {
        ulong end = memory.Regions[0].End.Value;
        for (int i = kernel.Segments.Count - 1; i >= -1; i--)
        {
            // The gap between this segment (or the low megabyte) and the one above.
            ulong floor = i < 0 ? MachineLayout.HighMemoryStart : Math.Max(kernel.Segments[i].End, MachineLayout.HighMemoryStart);
            if (end >= floor && end - floor >= initrd.Length)
            {
                ulong address = (end - initrd.Length) & ~(PageSize - 1);
                if (address >= floor)
                {
                    return address;
                }
            }

            end = i < 0 ? 0 : Math.Min(end, kernel.Segments[i].Address);
        }

        throw new BootException(
            initrd.Name,
            $"the initrd of {initrd.Length} bytes does not fit into the {memory.Regions[0].Size >> 20} MiB of low guest memory beside the kernel",
            "Choose a larger --memory or a smaller initrd.");
    }

    private static void Fill(GuestMemory memory, BootImage image, ulong offset, ulong address, ulong length)
    {
        while (length > 0)
        {
            uint part = (uint)Math.Min(length, 1 << 30);
            if (!memory.TryGetSpan(new GuestAddress(address), part, out Span<byte> target))
            {
                throw new InvalidOperationException($"{image.Name}: 0x{address:x} was checked and lies outside of guest RAM.");
            }

            image.Read(offset, target);
            offset += part;
            address += part;
            length -= part;
        }
    }
}
