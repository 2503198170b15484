using System.Buffers.Binary;
using static Vmm.Core.Machine.Boot.ElfConstants;

namespace Vmm.Core.Machine.Boot;

internal sealed partial class ElfImage
{
    /// <summary>
    /// A PVH note that the linker script has left in a section alone: a loader goes by program headers, and would start 32-bit code at e_entry
    /// in 64-bit mode. Nothing else of the section headers matters here, so damaged ones are passed over.
    /// </summary>
    private static void CheckSections(BootImage file, ReadOnlySpan<byte> header)
    {
        ulong offset = BinaryPrimitives.ReadUInt64LittleEndian(header[40..]);
        ushort entrySize = BinaryPrimitives.ReadUInt16LittleEndian(header[58..]);
        ushort count = BinaryPrimitives.ReadUInt16LittleEndian(header[60..]);
        uint size = (uint)count * SectionHeaderSize;
        if (entrySize != SectionHeaderSize || !file.Contains(offset, size))
        {
            return;
        }

        byte[] table = new byte[size];
        file.Read(offset, table);
        for (int i = 0; i < count; i++)
        {
            ReadOnlySpan<byte> section = table.AsSpan(i * SectionHeaderSize, SectionHeaderSize);
            if (BinaryPrimitives.ReadUInt32LittleEndian(section[4..]) == SHT_NOTE && ElfNotes.HasPvhEntry(file, section))
            {
                throw new BootException(
                    file.Name,
                    $"its PVH note is in section {i} (SHT_NOTE), but in no PT_NOTE program header, where boot loaders look for it",
                    "Keep it in a PT_NOTE segment: in the linker script add 'note PT_NOTE;' to PHDRS and ':note' (with the segment that loads it) to the output section.");
            }
        }
    }
}
