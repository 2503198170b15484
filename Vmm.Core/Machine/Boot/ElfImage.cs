using System.Buffers.Binary;
using static Vmm.Core.Machine.Boot.ElfConstants;

namespace Vmm.Core.Machine.Boot;

/// <summary>
/// What the loader needs to know of an ELF64 executable, checked: each segment lies within the file, none wraps, none overlaps another.
/// </summary>
internal sealed partial class ElfImage : KernelImage
{
    private readonly bool _isLinux;

    private ElfImage(BootImage file, IReadOnlyList<ElfSegment> segments, ulong entry, uint? pvhEntry, bool isLinux) : base(file)
    {
        Segments = segments;
        Entry = entry;
        PvhEntry = pvhEntry;
        _isLinux = isLinux;
    }

    /// <summary>In the order of their addresses; none is empty.</summary>
    public IReadOnlyList<ElfSegment> Segments { get; }

    /// <summary>e_entry, which may be a virtual address.</summary>
    public ulong Entry { get; }

    /// <summary>The 32-bit PVH entry, or null when the file has no such note.</summary>
    public uint? PvhEntry { get; }

    /// <exception cref="BootException">The file can't be loaded, with the field and what to do.</exception>
    public static new ElfImage Parse(BootImage file)
    {
        Span<byte> header = stackalloc byte[HeaderSize];
        header = header[..(int)Math.Min(file.Length, HeaderSize)];
        file.Read(0, header);
        CheckHeader(file, header);

        ulong entry = BinaryPrimitives.ReadUInt64LittleEndian(header[24..]);
        byte[] table = ReadProgramHeaders(file, header);
        List<ElfSegment> segments = [];
        uint? pvhEntry = null;
        bool isLinux = false;
        for (int i = 0; i * ProgramHeaderSize < table.Length; i++)
        {
            ReadOnlySpan<byte> programHeader = table.AsSpan(i * ProgramHeaderSize, ProgramHeaderSize);
            switch (BinaryPrimitives.ReadUInt32LittleEndian(programHeader))
            {
                case PT_LOAD when BinaryPrimitives.ReadUInt64LittleEndian(programHeader[40..]) != 0:
                    segments.Add(ReadSegment(file, i, programHeader));
                    break;
                case PT_NOTE:
                    pvhEntry ??= ElfNotes.FindPvhEntry(file, i, programHeader);
                    isLinux |= ElfNotes.AreOfLinux(file, programHeader);
                    break;
            }
        }

        CheckSegments(file, segments);
        if (pvhEntry is null)
        {
            CheckSections(file, header);
        }

        return new ElfImage(file, segments, entry, pvhEntry, isLinux);
    }

    private static byte[] ReadProgramHeaders(BootImage file, ReadOnlySpan<byte> header)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[32..]);
        ushort entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header[54..]);
        ushort count = BinaryPrimitives.ReadUInt16LittleEndian(header[56..]);
        if (count is 0 or PN_XNUM)
        {
            throw new BootException(file.Name, $"e_phnum is {count}: there are no program headers that say what to load", "Link it as an executable.");
        }

        if (entrySize != ProgramHeaderSize)
        {
            throw new BootException(file.Name, $"e_phentsize is {entrySize}, not {ProgramHeaderSize}", "The header is damaged: build the kernel again.");
        }

        uint size = (uint)count * ProgramHeaderSize;
        if (!file.Contains(offset, size))
        {
            throw new BootException(
                file.Name, $"the {count} program headers at offset {offset} (e_phoff) reach past the end of the file ({file.Length} bytes)", CutOff);
        }

        byte[] table = new byte[size];
        file.Read(offset, table);
        return table;
    }

    private static ElfSegment ReadSegment(BootImage file, int index, ReadOnlySpan<byte> header)
    {
        ElfSegment segment = new(
            index,
            FileOffset: BinaryPrimitives.ReadUInt64LittleEndian(header[8..]),
            FileSize: BinaryPrimitives.ReadUInt64LittleEndian(header[32..]),
            Address: BinaryPrimitives.ReadUInt64LittleEndian(header[24..]),
            VirtualAddress: BinaryPrimitives.ReadUInt64LittleEndian(header[16..]),
            Size: BinaryPrimitives.ReadUInt64LittleEndian(header[40..]));
        if (segment.FileSize > segment.Size)
        {
            throw new BootException(
                file.Name, $"segment {index} has p_filesz {segment.FileSize}, more than its p_memsz {segment.Size}", "The header is damaged: build the kernel again.");
        }

        // The offset of a segment that is all .bss means nothing: linkers put it past the end of the file.
        if (segment.FileSize > 0 && !file.Contains(segment.FileOffset, segment.FileSize))
        {
            throw new BootException(
                file.Name,
                $"segment {index} with {segment.FileSize} bytes (p_filesz) at offset {segment.FileOffset} (p_offset) reaches past the end of the file ({file.Length} bytes)",
                CutOff);
        }

        if (segment.End < segment.Address)
        {
            throw new BootException(
                file.Name, $"segment {index} wraps around: p_paddr 0x{segment.Address:x}, p_memsz 0x{segment.Size:x}", "Link it to an address in guest RAM.");
        }

        return segment;
    }

    private static void CheckSegments(BootImage file, List<ElfSegment> segments)
    {
        if (segments.Count == 0)
        {
            throw new BootException(file.Name, "no program header is a PT_LOAD with content: there is nothing to load", "Link it as an executable.");
        }

        segments.Sort((a, b) => a.Address.CompareTo(b.Address));
        for (int i = 1; i < segments.Count; i++)
        {
            if (segments[i].Address < segments[i - 1].End)
            {
                throw new BootException(file.Name, $"{segments[i - 1]} and {segments[i]} overlap", "Check p_paddr in the linker script (AT).");
            }
        }
    }
}
