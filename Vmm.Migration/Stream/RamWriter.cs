using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Migration.Stream;

/// <summary>Writes guest RAM as QEMU's section "ram", version 4, into a stream. The guest is paused.</summary>
internal sealed class RamWriter(StreamOutput output, GuestMemory memory)
{
    private bool _named;

    /// <summary>Pages that had something in them.</summary>
    public long Pages { get; private set; }

    /// <summary>The first part: which blocks there are.</summary>
    public void WriteStart()
    {
        output.Byte((byte)SectionType.Start);
        output.Number(MachineStream.RamNumber);
        output.Name(RamBlock.Name);
        output.Number(0u);
        output.Number((uint)StreamFormat.RamVersion);
        output.Number(memory.Size | (ulong)RamFlags.MemorySize);
        output.Name(RamBlock.Name);
        output.Number(memory.Size);
        WriteFooter();
    }

    /// <summary>The last part: every page that has something in it. Holes of the file are not even looked at.</summary>
    public void WriteEnd()
    {
        output.Byte((byte)SectionType.End);
        output.Number(MachineStream.RamNumber);
        foreach ((ulong start, ulong length) in FileExtents.Find(memory.File, memory.Size))
        {
            const ulong Page = StreamFormat.PageSize;
            ulong end = (start + length + Page - 1) & ~(Page - 1);
            for (ulong at = start & ~(Page - 1); at < end;)
            {
                Span<byte> span = RamBlock.GetSpan(memory, at, Math.Min(end - at, 1 << 20));
                WritePages(at, span);
                at += (ulong)span.Length;
            }
        }

        WriteFooter();
    }

    private void WritePages(ulong at, ReadOnlySpan<byte> pages)
    {
        for (; pages.Length > 0; at += StreamFormat.PageSize, pages = pages[StreamFormat.PageSize..])
        {
            ReadOnlySpan<byte> page = pages[..StreamFormat.PageSize];
            if (!page.ContainsAnyExcept((byte)0))
            {
                continue;
            }

            output.Number(at | (ulong)(_named ? RamFlags.Page | RamFlags.Continue : RamFlags.Page));
            if (!_named)
            {
                output.Name(RamBlock.Name);
                _named = true;
            }

            output.Bytes(page);
            Pages++;
        }
    }

    private void WriteFooter()
    {
        output.Number((ulong)RamFlags.End);
        output.Byte((byte)SectionType.Footer);
        output.Number(MachineStream.RamNumber);
    }
}
