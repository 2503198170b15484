using System.Buffers.Binary;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>The zero page, struct boot_params (Documentation/arch/x86/zero-page.rst); offsets are from its start, and from a bzImage's start.</summary>
internal static class LinuxBootParameters
{
    public const int AcpiRsdpAddr = 0x070;
    public const int E820Entries = 0x1E8;
    public const int SetupHeaderStart = 0x1F1;
    public const int SetupSects = 0x1F1;
    public const int BootFlag = 0x1FE;
    public const int HeaderField = 0x202;
    public const int ProtocolVersion = 0x206;
    public const int TypeOfLoader = 0x210;
    public const int Loadflags = 0x211;
    public const int RamdiskImage = 0x218;
    public const int RamdiskSize = 0x21C;
    public const int CmdLinePtr = 0x228;
    public const int InitrdAddrMax = 0x22C;
    public const int Xloadflags = 0x236;
    public const int CmdlineSize = 0x238;
    public const int PrefAddress = 0x258;
    public const int InitSize = 0x260;
    public const int E820Table = 0x2D0;

    private const int Size = 4096;
    private const int E820EntrySize = 20;
    private const byte UndefinedLoader = 0xFF;
    private const byte LoadedHigh = 1 << 0;

    /// <param name="memory">With room for it at <see cref="MachineLayout.ZeroPage"/>.</param>
    /// <param name="header">From the kernel's file; empty for a kernel without one, which gets what it reads of it.</param>
    /// <param name="initrd">Where it is, or null.</param>
    /// <param name="map">What RAM there is.</param>
    public static void Write(GuestMemory memory, ReadOnlySpan<byte> header, HvmModule? initrd, IReadOnlyList<HvmMemoryMapEntry> map)
    {
        byte[] page = new byte[Size];
        if (header.IsEmpty)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(BootFlag), 0xAA55);
            "HdrS"u8.CopyTo(page.AsSpan(HeaderField));
            BinaryPrimitives.WriteUInt16LittleEndian(page.AsSpan(ProtocolVersion), 0x020C);
        }

        header.CopyTo(page.AsSpan(SetupHeaderStart));
        page[TypeOfLoader] = UndefinedLoader;
        page[Loadflags] |= LoadedHigh;
        BinaryPrimitives.WriteUInt64LittleEndian(page.AsSpan(AcpiRsdpAddr), MachineLayout.Rsdp);
        BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(CmdLinePtr), (uint)MachineLayout.CommandLine);
        if (initrd is { } module)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(RamdiskImage), (uint)module.Address);
            BinaryPrimitives.WriteUInt32LittleEndian(page.AsSpan(RamdiskSize), (uint)module.Size);
        }

        page[E820Entries] = (byte)map.Count;
        Span<byte> entries = page.AsSpan(E820Table);
        foreach (HvmMemoryMapEntry entry in map)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(entries, entry.Address);
            BinaryPrimitives.WriteUInt64LittleEndian(entries[8..], entry.Size);
            BinaryPrimitives.WriteUInt32LittleEndian(entries[16..], entry.Type);
            entries = entries[E820EntrySize..];
        }

        memory.Write(new GuestAddress(MachineLayout.ZeroPage), page);
    }
}
