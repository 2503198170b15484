using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>Writes what a kernel finds at its entry: start info, memory map, GDT and identity page tables. RAM of at least 1 MiB is there.</summary>
internal static class BootStructures
{
    private const ulong Present = 1 << 0;
    private const ulong Writable = 1 << 1;
    private const ulong LargePage = 1 << 7;
    private const ulong LargePageSize = 2 << 20;

    public static void WriteStartInfo(GuestMemory memory, ReadOnlySpan<byte> commandLine, HvmModule? initrd)
    {
        IReadOnlyList<HvmMemoryMapEntry> map = BuildMemoryMap(memory);
        for (int i = 0; i < map.Count; i++)
        {
            Put(memory, MachineLayout.MemoryMap + (ulong)i * 24, map[i]);
        }

        if (initrd is { } module)
        {
            Put(memory, MachineLayout.ModuleList, module);
        }

        memory.Write(new GuestAddress(MachineLayout.CommandLine), commandLine);
        Put(memory, MachineLayout.StartInfo, new HvmStartInfo
        {
            Magic = HvmStartInfo.MagicValue,
            Version = 1,
            ModuleCount = initrd is null ? 0u : 1u,
            ModuleList = initrd is null ? 0 : MachineLayout.ModuleList,
            CommandLine = MachineLayout.CommandLine,
            Rsdp = MachineLayout.Rsdp,
            MemoryMap = MachineLayout.MemoryMap,
            MemoryMapEntries = (uint)map.Count,
        });
    }

    /// <summary>In the order of addresses; what is RAM but not the guest's to use is reserved.</summary>
    public static IReadOnlyList<HvmMemoryMapEntry> BuildMemoryMap(GuestMemory memory)
    {
        ulong lowEnd = memory.Regions[0].End.Value;
        List<HvmMemoryMapEntry> map =
        [
            Entry(0, MachineLayout.BootStart, HvmMemoryMapEntry.Ram),
            Entry(MachineLayout.BootStart, MachineLayout.HighMemoryStart, HvmMemoryMapEntry.ReservedMemory),
            Entry(MachineLayout.HighMemoryStart, lowEnd, HvmMemoryMapEntry.Ram),
            Entry(MachineLayout.InterruptControllers, GuestMemory.HighStart, HvmMemoryMapEntry.ReservedMemory),
        ];
        map.AddRange(memory.Regions.Skip(1).Select(r => Entry(r.Start.Value, r.End.Value, HvmMemoryMapEntry.Ram)));
        return map;
    }

    /// <summary>Flat segments, as <see cref="Hypervisor.CpuEntry.DescriptorTable"/> says.</summary>
    public static void WriteDescriptorTable(GuestMemory memory, CpuMode mode)
    {
        const ulong Code32 = 0x00CF_9B00_0000_FFFF, Code64 = 0x00AF_9B00_0000_FFFF, Data = 0x00CF_9300_0000_FFFF, BusyTss = 0x0000_8B00_0000_FFFF;

        // SPEC: Linux wants its __BOOT_CS at 0x10 and __BOOT_DS at 0x18.
        ReadOnlySpan<ulong> descriptors = mode == CpuMode.Linux64 ? [0, 0, Code64, Data, BusyTss] : [0, Code32, Data, BusyTss, Code64];
        for (int i = 0; i < descriptors.Length; i++)
        {
            Put(memory, MachineLayout.DescriptorTable + (ulong)i * 8, descriptors[i]);
        }
    }

    /// <summary>Maps the first 4 GiB to themselves with 2 MiB pages: PML4, PDPT, then one directory per GiB.</summary>
    public static void WritePageTables(GuestMemory memory)
    {
        const ulong PointerTable = MachineLayout.PageTable + 0x1000;
        const ulong Directories = MachineLayout.PageTable + 0x2000;
        Put(memory, MachineLayout.PageTable, PointerTable | Present | Writable);
        for (ulong gib = 0; gib < MachineLayout.IdentityMapped >> 30; gib++)
        {
            Put(memory, PointerTable + gib * 8, (Directories + gib * 0x1000) | Present | Writable);
        }

        for (ulong page = 0; page < MachineLayout.IdentityMapped / LargePageSize; page++)
        {
            Put(memory, Directories + page * 8, (page * LargePageSize) | Present | Writable | LargePage);
        }
    }

    private static HvmMemoryMapEntry Entry(ulong start, ulong end, uint type) => new() { Address = start, Size = end - start, Type = type };

    private static void Put<T>(GuestMemory memory, ulong address, T value) where T : unmanaged
    {
        if (!memory.TryWrite(new GuestAddress(address), value))
        {
            throw new InvalidOperationException($"The boot structure at 0x{address:x} lies outside of guest RAM.");
        }
    }
}
