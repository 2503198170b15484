using System.Buffers.Binary;

namespace Vmm.DemoGuest;

/// <summary>Writes the guest as an ELF64 executable: two segments to load, and the note that holds the PVH entry.</summary>
internal static class ElfFile
{
    private const int HeaderSize = 64;
    private const int ProgramHeaderSize = 56;
    private const int ProgramHeaders = 3;
    private const int Note = HeaderSize + (ProgramHeaders * ProgramHeaderSize);
    private const int NoteSize = 24;

    private const uint LoadSegment = 1;
    private const uint NoteSegment = 4;
    private const uint Executable = 1;
    private const uint Writable = 2;
    private const uint Readable = 4;

    /// <summary>XEN_ELFNOTE_PHYS32_ENTRY of Xen's public/elfnote.h.</summary>
    private const uint PhysicalEntryNote = 18;

    /// <param name="code">What is loaded at <see cref="GuestLayout.Image"/>; its first bytes, left free, become the ELF header.</param>
    /// <param name="data">What is loaded at <see cref="GuestLayout.Data"/>.</param>
    /// <param name="longModeEntry">e_entry, for loaders that start a kernel in 64-bit mode.</param>
    /// <param name="physicalEntry">The PVH entry: 32-bit protected mode without paging.</param>
    public static byte[] Build(ReadOnlySpan<byte> code, ReadOnlySpan<byte> data, ulong longModeEntry, ulong physicalEntry)
    {
        int dataOffset = (code.Length + 0xFFF) & ~0xFFF;
        byte[] file = new byte[dataOffset + data.Length];
        code.CopyTo(file);
        data.CopyTo(file.AsSpan(dataOffset));
        WriteHeader(file, longModeEntry);
        WriteProgramHeader(file, 0, LoadSegment, Readable | Executable, 0, GuestLayout.Image, code.Length, code.Length, 0x1000);
        WriteProgramHeader(file, 1, LoadSegment, Readable | Writable, dataOffset, GuestLayout.Data, data.Length,
            GuestLayout.ImageEnd - GuestLayout.Data, 0x1000);
        WriteProgramHeader(file, 2, NoteSegment, Readable, Note, GuestLayout.Image + Note, NoteSize, NoteSize, 4);
        WriteNote(file.AsSpan(Note, NoteSize), physicalEntry);
        return file;
    }

    private static void WriteHeader(Span<byte> header, ulong entry)
    {
        ReadOnlySpan<byte> identification = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        identification.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2); // ET_EXEC
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62); // EM_X86_64
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], entry);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], HeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], ProgramHeaderSize);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], ProgramHeaders);
    }

    private static void WriteProgramHeader(
        Span<byte> file, int index, uint type, uint flags, int offset, int address, int fileSize, int memorySize, int alignment)
    {
        Span<byte> header = file.Slice(HeaderSize + (index * ProgramHeaderSize), ProgramHeaderSize);
        BinaryPrimitives.WriteUInt32LittleEndian(header, type);
        BinaryPrimitives.WriteUInt32LittleEndian(header[4..], flags);
        BinaryPrimitives.WriteUInt64LittleEndian(header[8..], (ulong)offset);
        BinaryPrimitives.WriteUInt64LittleEndian(header[16..], (ulong)address);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], (ulong)address);
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], (ulong)fileSize);
        BinaryPrimitives.WriteUInt64LittleEndian(header[40..], (ulong)memorySize);
        BinaryPrimitives.WriteUInt64LittleEndian(header[48..], (ulong)alignment);
    }

    private static void WriteNote(Span<byte> note, ulong physicalEntry)
    {
        BinaryPrimitives.WriteUInt32LittleEndian(note, 4);
        // A 64-bit file's note holds a 64-bit address; QEMU reads eight bytes.
        BinaryPrimitives.WriteUInt32LittleEndian(note[4..], 8);
        BinaryPrimitives.WriteUInt32LittleEndian(note[8..], PhysicalEntryNote);
        "Xen\0"u8.CopyTo(note[12..]);
        BinaryPrimitives.WriteUInt64LittleEndian(note[16..], physicalEntry);
    }
}
