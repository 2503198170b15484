using System.Buffers.Binary;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Writes small ELF64 files, right by default and wrong where a test says so.</summary>
internal sealed class ElfBuilder
{
    public const int HeaderSize = 64;
    public const int ProgramHeaderSize = 56;

    private const int SectionHeaderSize = 64;

    private readonly List<Segment> _segments = [];
    private readonly List<byte[]> _noteSections = [];

    public sealed record Segment(uint Type, ulong Physical, ulong Virtual, byte[] Bytes, ulong MemorySize, ulong Alignment = 4096);

    public ulong Entry { get; init; }

    public IReadOnlyList<Segment> Segments => _segments;

    /// <summary>A kernel of one page of code at 1 MiB with .bss, and a PVH note of 4 bytes.</summary>
    public static ElfBuilder Pvh(uint entry = 0x10_0010) => new ElfBuilder().Load(0x10_0000, Pattern(0x1000), 0x3000).Note(PvhNote(BitConverter.GetBytes(entry)));

    /// <summary>The same without a note: a flat 64-bit entry.</summary>
    public static ElfBuilder Flat(ulong entry = 0x10_0020) => new ElfBuilder { Entry = entry }.Load(0x10_0000, Pattern(0x1000), 0x3000);

    public static byte[] Pattern(int length) => [.. Enumerable.Range(0, length).Select(i => (byte)(i * 7 + 1))];

    public ElfBuilder Load(ulong address, byte[] bytes, ulong memorySize, ulong? virtualAddress = null)
    {
        _segments.Add(new Segment(1, address, virtualAddress ?? address, bytes, memorySize));
        return this;
    }

    public ElfBuilder Note(byte[] notes, ulong alignment = 4)
    {
        _segments.Add(new Segment(4, 0, 0, notes, (ulong)notes.Length, alignment));
        return this;
    }

    /// <summary>Notes in a section that no program header names.</summary>
    public ElfBuilder NoteSection(byte[] notes)
    {
        _noteSections.Add(notes);
        return this;
    }

    /// <summary>One note with the padding of <paramref name="alignment"/>.</summary>
    public static byte[] OneNote(string name, uint type, byte[] descriptor, int alignment = 4)
    {
        byte[] nameBytes = [.. System.Text.Encoding.ASCII.GetBytes(name), 0];
        int descriptorOffset = Align(12 + nameBytes.Length, alignment);
        byte[] note = new byte[Align(descriptorOffset + descriptor.Length, alignment)];
        BinaryPrimitives.WriteInt32LittleEndian(note, nameBytes.Length);
        BinaryPrimitives.WriteInt32LittleEndian(note.AsSpan(4), descriptor.Length);
        BinaryPrimitives.WriteUInt32LittleEndian(note.AsSpan(8), type);
        nameBytes.CopyTo(note, 12);
        descriptor.CopyTo(note, descriptorOffset);
        return note;
    }

    /// <summary>By which a Linux is known that can be a guest of Xen.</summary>
    public static byte[] LinuxNote => OneNote("Xen", 6, [.. "linux\0"u8]);

    /// <summary>By which another one is.</summary>
    public static byte[] BuildSaltNote => OneNote("Linux", 0x100, [0]);

    public static byte[] PvhNote(byte[] descriptor, int alignment = 4) => OneNote("Xen", 18, descriptor, alignment);

    public byte[] Build()
    {
        int tableEnd = HeaderSize + _segments.Count * ProgramHeaderSize;
        byte[] file = new byte[tableEnd + _segments.Sum(s => s.Bytes.Length)];
        ((ReadOnlySpan<byte>)[0x7F, 0x45, 0x4C, 0x46]).CopyTo(file);
        file[4] = 2;
        file[5] = 1;
        file[6] = 1;
        Put(file, 16, (ushort)2);
        Put(file, 18, (ushort)62);
        Put(file, 20, 1u);
        Put(file, 24, Entry);
        Put(file, 32, (ulong)HeaderSize);
        Put(file, 52, (ushort)HeaderSize);
        Put(file, 54, (ushort)ProgramHeaderSize);
        Put(file, 56, (ushort)_segments.Count);
        int offset = tableEnd;
        for (int i = 0; i < _segments.Count; i++)
        {
            Segment segment = _segments[i];
            int header = HeaderSize + i * ProgramHeaderSize;
            Put(file, header, segment.Type);
            Put(file, header + 8, (ulong)offset);
            Put(file, header + 16, segment.Virtual);
            Put(file, header + 24, segment.Physical);
            Put(file, header + 32, (ulong)segment.Bytes.Length);
            Put(file, header + 40, segment.MemorySize);
            Put(file, header + 48, segment.Alignment);
            segment.Bytes.CopyTo(file, offset);
            offset += segment.Bytes.Length;
        }

        return _noteSections.Count == 0 ? file : AppendSections(file);
    }

    private byte[] AppendSections(byte[] image)
    {
        int count = _noteSections.Count + 1;
        byte[] file = [.. image, .. new byte[count * SectionHeaderSize], .. _noteSections.SelectMany(n => n)];
        Put(file, 40, (ulong)image.Length);
        Put(file, 58, (ushort)SectionHeaderSize);
        Put(file, 60, (ushort)count);
        int offset = image.Length + count * SectionHeaderSize;
        for (int i = 1; i < count; i++)
        {
            int header = image.Length + i * SectionHeaderSize;
            Put(file, header + 4, 7u);
            Put(file, header + 24, (ulong)offset);
            Put(file, header + 32, (ulong)_noteSections[i - 1].Length);
            Put(file, header + 48, 4ul);
            offset += _noteSections[i - 1].Length;
        }

        return file;
    }

    public static void Put(byte[] file, int offset, ushort value) => BinaryPrimitives.WriteUInt16LittleEndian(file.AsSpan(offset), value);

    public static void Put(byte[] file, int offset, uint value) => BinaryPrimitives.WriteUInt32LittleEndian(file.AsSpan(offset), value);

    public static void Put(byte[] file, int offset, ulong value) => BinaryPrimitives.WriteUInt64LittleEndian(file.AsSpan(offset), value);

    private static int Align(int value, int alignment) => (value + alignment - 1) / alignment * alignment;
}
