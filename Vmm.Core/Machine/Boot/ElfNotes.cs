using System.Buffers.Binary;
using static Vmm.Core.Machine.Boot.ElfConstants;

namespace Vmm.Core.Machine.Boot;

/// <summary>Finds the PVH entry among the notes of a segment or a section (System V ABI, "Note Section").</summary>
internal static class ElfNotes
{
    /// <summary>A kernel's notes are some hundred bytes; more than this is not read.</summary>
    private const uint MaxSize = 1 << 20;

    /// <summary>The descriptor of XEN_ELFNOTE_PHYS32_ENTRY, or null when the segment has no such note.</summary>
    public static uint? FindPvhEntry(BootImage file, int index, ReadOnlySpan<byte> programHeader)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[8..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[32..]);
        // SPEC: a segment of 8-byte alignment pads names and descriptors to 8 bytes, every other one to 4.
        uint alignment = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[48..]) == 8 ? 8u : 4u;
        if (size == 0)
        {
            return null;
        }

        if (!file.Contains(offset, size))
        {
            throw new BootException(
                file.Name,
                $"notes segment {index} with {size} bytes (p_filesz) at offset {offset} (p_offset) reaches past the end of the file ({file.Length} bytes)",
                "The file is cut off: build or copy it again.");
        }

        if (size > MaxSize)
        {
            throw new BootException(file.Name, $"notes segment {index} has {size} bytes (p_filesz), more than {MaxSize}", "The header is damaged: build the kernel again.");
        }

        byte[] notes = new byte[size];
        file.Read(offset, notes);
        if (TryFind(notes, alignment, Xen, XEN_ELFNOTE_PHYS32_ENTRY, out ReadOnlySpan<byte> descriptor, out uint position))
        {
            return ReadEntry(file, descriptor);
        }

        if (notes.Length - position < NoteHeaderSize)
        {
            return null;
        }

        ReadOnlySpan<byte> damaged = notes.AsSpan((int)position);
        uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(damaged);
        uint descriptorSize = BinaryPrimitives.ReadUInt32LittleEndian(damaged[4..]);
        throw new BootException(
            file.Name,
            $"the note at byte {position} of segment {index} is cut off: n_namesz {nameSize} and n_descsz {descriptorSize} exceed the {damaged.Length} bytes left",
            "The notes are damaged: build the kernel again.");
    }

    private static ReadOnlySpan<byte> Xen => "Xen\0"u8;

    /// <summary>Whether a segment's notes are those of a Linux kernel: Xen's (with CONFIG_XEN), or its own (from 4.19 on). Notes that can't be read are none.</summary>
    public static bool AreOfLinux(BootImage file, ReadOnlySpan<byte> programHeader)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[8..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[32..]);
        uint alignment = BinaryPrimitives.ReadUInt64LittleEndian(programHeader[48..]) == 8 ? 8u : 4u;
        if (size is 0 or > MaxSize || !file.Contains(offset, size))
        {
            return false;
        }

        byte[] notes = new byte[size];
        file.Read(offset, notes);
        return (TryFind(notes, alignment, Xen, XEN_ELFNOTE_GUEST_OS, out ReadOnlySpan<byte> system, out _) && system.SequenceEqual("linux\0"u8))
            || TryFind(notes, alignment, "Linux\0"u8, LINUX_ELFNOTE_BUILD_SALT, out _, out _);
    }

    /// <summary>Whether a section of type SHT_NOTE has the note. One that can't be read has none.</summary>
    public static bool HasPvhEntry(BootImage file, ReadOnlySpan<byte> sectionHeader)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(sectionHeader[24..]);
        ulong size = BinaryPrimitives.ReadUInt64LittleEndian(sectionHeader[32..]);
        uint alignment = BinaryPrimitives.ReadUInt64LittleEndian(sectionHeader[48..]) == 8 ? 8u : 4u;
        if (size > MaxSize || !file.Contains(offset, size))
        {
            return false;
        }

        byte[] notes = new byte[size];
        file.Read(offset, notes);
        return TryFind(notes, alignment, Xen, XEN_ELFNOTE_PHYS32_ENTRY, out _, out _);
    }

    /// <summary>A note by its owner and type. False with the place of a note that is cut off, or with the end.</summary>
    private static bool TryFind(ReadOnlySpan<byte> notes, uint alignment, ReadOnlySpan<byte> owner, uint wanted, out ReadOnlySpan<byte> descriptor, out uint position)
    {
        position = 0;
        while (notes.Length - position >= NoteHeaderSize)
        {
            ReadOnlySpan<byte> header = notes[(int)position..];
            uint nameSize = BinaryPrimitives.ReadUInt32LittleEndian(header);
            uint descriptorSize = BinaryPrimitives.ReadUInt32LittleEndian(header[4..]);
            uint type = BinaryPrimitives.ReadUInt32LittleEndian(header[8..]);
            ulong descriptorOffset = Align((ulong)NoteHeaderSize + nameSize, alignment);
            if (descriptorOffset + descriptorSize > (ulong)header.Length)
            {
                break;
            }

            descriptor = header.Slice((int)descriptorOffset, (int)descriptorSize);
            if (type == wanted && header.Slice(NoteHeaderSize, (int)nameSize).SequenceEqual(owner))
            {
                return true;
            }

            position += (uint)Math.Min(Align(descriptorOffset + descriptorSize, alignment), (ulong)header.Length);
        }

        descriptor = default;
        return false;
    }

    private static uint ReadEntry(BootImage file, ReadOnlySpan<byte> descriptor)
    {
        ulong entry = descriptor.Length switch
        {
            4 => BinaryPrimitives.ReadUInt32LittleEndian(descriptor),
            8 => BinaryPrimitives.ReadUInt64LittleEndian(descriptor),
            _ => throw new BootException(
                file.Name, $"the PVH note (XEN_ELFNOTE_PHYS32_ENTRY) has a descriptor of {descriptor.Length} bytes, not 4 or 8", "Correct the note in the kernel's source."),
        };
        return entry <= uint.MaxValue
            ? (uint)entry
            : throw new BootException(file.Name, $"the PVH note's entry 0x{entry:x} lies above 4 GiB", "Correct the note: the entry is a 32-bit physical address.");
    }

    private static ulong Align(ulong value, ulong alignment) => (value + alignment - 1) & ~(alignment - 1);
}
