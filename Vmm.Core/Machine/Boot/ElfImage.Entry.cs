using Vmm.Core.Hypervisor;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

// Where it goes, and how it begins.
internal sealed partial class ElfImage
{
    public override IReadOnlyList<MemoryExtent> Extents => [.. Segments.Select(segment => new MemoryExtent($"segment {segment.Index}", segment.Address, segment.End))];

    public override bool ReadsAcpi => _isLinux;

    public override CpuEntry FindEntry()
    {
        if (PvhEntry is { } pvh)
        {
            return Segments.Any(s => s.Contains(pvh))
                ? CpuEntry.ForPvh(new GuestAddress(pvh))
                : throw new BootException(File.Name, $"the PVH note's entry 0x{pvh:x} lies in no segment", "Correct the note: it holds a physical address.");
        }

        if (FindPhysicalEntry() is not { } entry)
        {
            throw new BootException(File.Name, $"e_entry 0x{Entry:x} lies in no segment", "Name the entry symbol when linking (-e).");
        }

        if (entry >= MachineLayout.IdentityMapped)
        {
            throw new BootException(
                File.Name, $"e_entry is at physical 0x{entry:x}, above the {MachineLayout.IdentityMapped >> 30} GiB that are mapped", "Link it below 4 GiB.");
        }

        return _isLinux ? CpuEntry.ForLinux(new GuestAddress(entry)) : CpuEntry.ForLongMode(new GuestAddress(entry));
    }

    public override void CopyTo(GuestMemory memory)
    {
        foreach (ElfSegment segment in Segments)
        {
            memory.Fill(File, segment.FileOffset, segment.Address, segment.FileSize);
            memory.Clear(new GuestAddress(segment.Address + segment.FileSize), segment.Size - segment.FileSize);
        }
    }

    /// <summary>e_entry as it is, or, for a kernel linked to the upper half, the place its virtual address is loaded to.</summary>
    private ulong? FindPhysicalEntry()
    {
        if (Segments.Any(s => s.Contains(Entry)))
        {
            return Entry;
        }

        foreach (ElfSegment segment in Segments)
        {
            if (Entry - segment.VirtualAddress < segment.Size)
            {
                return Entry - segment.VirtualAddress + segment.Address;
            }
        }

        return null;
    }
}
