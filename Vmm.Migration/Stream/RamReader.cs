using System.Globalization;
using Vmm.Core.Memory;
using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>Reads the section "ram" into guest memory that is all zeros and that nobody uses yet.</summary>
internal sealed class RamReader(StreamInput input, GuestMemory memory)
{
    private const string Section = RamBlock.Name;

    private bool _named;

    /// <summary>The body of the first part: the blocks have to be those of this machine.</summary>
    public void ReadStart()
    {
        ulong entry = input.TakeLongNumber(Section);
        if (Flags(entry) != RamFlags.MemorySize || Address(entry) != memory.Size)
        {
            throw Error("block list", $"0x{entry:x16}, where 0x{memory.Size | (ulong)RamFlags.MemorySize:x16} stands for the memory of this machine");
        }

        string name = input.TakeName(Section);
        ulong size = input.TakeLongNumber(Section);
        if (name != RamBlock.Name || size != memory.Size)
        {
            throw Error("block list", $"the block {name} of 0x{size:x} bytes, where this machine has {RamBlock.Name} of 0x{memory.Size:x}");
        }

        entry = input.TakeLongNumber(Section);
        if (entry != (ulong)RamFlags.End)
        {
            throw Error("block list", $"0x{entry:x16} follows, where its end, 0x{(ulong)RamFlags.End:x16}, is expected");
        }
    }

    /// <summary>The body of any further part: pages.</summary>
    public void ReadPages()
    {
        while (true)
        {
            ulong entry = input.TakeLongNumber(Section);
            if (entry == (ulong)RamFlags.End)
            {
                return;
            }

            RamFlags flags = Flags(entry);
            ulong address = Address(entry);
            if ((flags & ~RamFlags.Continue) is not (RamFlags.Page or RamFlags.Zero))
            {
                throw Error("page", $"0x{entry:x16} has flags 0x{(ulong)flags:x}, which are no page's");
            }

            ReadName(entry, flags);
            if (address > memory.Size - StreamFormat.PageSize)
            {
                throw Error("page", $"address 0x{address:x} is not within 0x{memory.Size:x} bytes");
            }

            if ((flags & RamFlags.Page) != 0)
            {
                input.Take(StreamFormat.PageSize, Section).CopyTo(RamBlock.GetSpan(memory, address, StreamFormat.PageSize));
            }
            else
            {
                Fill(address, input.TakeByte(Section));
            }
        }
    }

    private void ReadName(ulong entry, RamFlags flags)
    {
        if ((flags & RamFlags.Continue) != 0)
        {
            _ = _named ? true : throw Error("page", $"0x{entry:x16} goes on with a block, and none was named before");
            return;
        }

        string name = input.TakeName(Section);
        _named = name == RamBlock.Name ? true : throw Error("page", $"the block {name} is not in the list");
    }

    private void Fill(ulong address, byte value)
    {
        if (value == 0)
        {
            memory.Clear(RamBlock.GetAddress(memory, address), StreamFormat.PageSize); // takes no room
        }
        else
        {
            RamBlock.GetSpan(memory, address, StreamFormat.PageSize).Fill(value);
        }
    }

    private static RamFlags Flags(ulong entry) => (RamFlags)(entry & (StreamFormat.PageSize - 1));

    private static ulong Address(ulong entry) => entry & ~(ulong)(StreamFormat.PageSize - 1);

    private static StateException Error(string field, FormattableString reason)
        => new($"{Section}: {field}", reason.ToString(CultureInfo.InvariantCulture));
}
