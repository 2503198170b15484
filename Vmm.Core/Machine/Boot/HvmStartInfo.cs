using System.Runtime.InteropServices;

namespace Vmm.Core.Machine.Boot;

/// <summary>struct hvm_start_info, version 1 (xen/include/public/arch-x86/hvm/start_info.h).</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HvmStartInfo
{
    public const uint MagicValue = 0x336EC578; // "xEn3" with bit 7 of the "E" set

    public uint Magic;
    public uint Version;
    public uint Flags;
    public uint ModuleCount;
    public ulong ModuleList;
    public ulong CommandLine;
    public ulong Rsdp;
    public ulong MemoryMap;
    public uint MemoryMapEntries;
    public uint Reserved;
}

/// <summary>struct hvm_modlist_entry.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HvmModule
{
    public ulong Address;
    public ulong Size;
    public ulong CommandLine;
    public ulong Reserved;
}

/// <summary>struct hvm_memmap_table_entry; the types are those of E820.</summary>
[StructLayout(LayoutKind.Sequential)]
internal struct HvmMemoryMapEntry
{
    public const uint Ram = 1;
    public const uint ReservedMemory = 2;

    public ulong Address;
    public ulong Size;
    public uint Type;
    public uint Reserved;
}
