using System.Globalization;
using System.Text;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Report;

/// <summary>Translates a linear address as the CPU would, reading the guest's tables; each level can be written out.</summary>
/// <remarks>SPEC: Intel SDM volume 3, 4.3 (32-bit), 4.4 (PAE), 4.5 (4-level and 5-level). Reserved bits and rights are not judged.</remarks>
internal sealed class PageWalk(GuestMemory? memory, kvm_sregs special)
{
    private const ulong CR0_PG = 1u << 31;
    private const ulong CR4_PSE = 1 << 4, CR4_PAE = 1 << 5, CR4_LA57 = 1 << 12;
    private const ulong EFER_LMA = 1 << 10;
    private const ulong Present = 1, Writable = 2, User = 4, Large = 1 << 7, NoExecute = 1UL << 63;
    private const ulong AddressBits = 0x000F_FFFF_FFFF_F000;

    private static readonly string[] s_levels = ["", "PTE", "PDE", "PDPTE", "PML4E", "PML5E"];

    private readonly int _topLevel = TopLevel(special);

    /// <summary>The guest-physical address, or null when a level is not present or not RAM.</summary>
    internal ulong? Translate(ulong linear) => Walk(linear, null);

    /// <summary>Writes one line per level.</summary>
    internal void Write(StringBuilder text, ulong linear)
    {
        text.Append(CultureInfo.InvariantCulture, $"page walk of 0x{linear:x}: {Describe()}\n");
        ulong? physical = Walk(linear, text);
        text.Append(physical is null
            ? "  no translation\n"
            : string.Create(CultureInfo.InvariantCulture, $"  -> guest-physical 0x{physical:x}{(memory is not null && memory.Contains(new GuestAddress(physical.Value), 1) ? "" : " (no RAM there)")}\n"));
    }

    private static int TopLevel(in kvm_sregs special)
    {
        if ((special.cr0 & CR0_PG) == 0)
        {
            return 0;
        }

        if ((special.efer & EFER_LMA) != 0)
        {
            return (special.cr4 & CR4_LA57) != 0 ? 5 : 4;
        }

        return (special.cr4 & CR4_PAE) != 0 ? 3 : 2;
    }

    private bool Is32Bit => _topLevel == 2;

    private string Describe() => _topLevel switch
    {
        0 => "no paging (CR0.PG is clear)",
        2 => string.Create(CultureInfo.InvariantCulture, $"32-bit paging, CR3 0x{special.cr3:x}"),
        3 => string.Create(CultureInfo.InvariantCulture, $"PAE paging, CR3 0x{special.cr3:x}"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{_topLevel}-level paging, CR3 0x{special.cr3:x}"),
    };

    private ulong? Walk(ulong linear, StringBuilder? text)
    {
        if (_topLevel == 0)
        {
            return linear;
        }

        int indexBits = Is32Bit ? 10 : 9;
        ulong table = _topLevel == 3 ? special.cr3 & 0xFFFF_FFE0 : special.cr3 & AddressBits;
        for (int level = _topLevel; level >= 1; level--)
        {
            int shift = 12 + (level - 1) * indexBits;
            ulong index = (linear >> shift) & ((1UL << indexBits) - 1);
            index = _topLevel == 3 && level == 3 ? index & 3 : index;
            ulong? read = ReadEntry(table + index * (Is32Bit ? 4u : 8u));
            WriteLevel(text, level, index, table, read);
            if (read is not { } entry || (entry & Present) == 0)
            {
                return null;
            }

            if (level == 1 || IsLargePage(level, entry))
            {
                ulong offset = (1UL << shift) - 1;
                return (entry & AddressBits & ~offset) | (linear & offset);
            }

            table = entry & AddressBits;
        }

        return null;
    }

    private bool IsLargePage(int level, ulong entry)
        => (entry & Large) != 0 && (Is32Bit ? (special.cr4 & CR4_PSE) != 0 : level == 2 || (level == 3 && _topLevel > 3));

    private ulong? ReadEntry(ulong address)
    {
        if (memory is null)
        {
            return null;
        }

        if (Is32Bit)
        {
            return memory.TryRead(new GuestAddress(address), out uint narrow) ? narrow : null;
        }

        return memory.TryRead(new GuestAddress(address), out ulong wide) ? wide : null;
    }

    private void WriteLevel(StringBuilder? text, int level, ulong index, ulong table, ulong? entry)
    {
        if (text is null)
        {
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"  {s_levels[level],-5} [{index,3}] at 0x{table + index * (Is32Bit ? 4u : 8u):x}: ");
        if (entry is not { } value)
        {
            text.Append("not in RAM\n");
            return;
        }

        text.Append(CultureInfo.InvariantCulture, $"0x{value:x16}");
        text.Append((value & Present) != 0 ? " present" : " NOT PRESENT");
        text.Append((value & Writable) != 0 ? " writable" : " read-only");
        text.Append((value & User) != 0 ? " user" : " supervisor");
        text.Append(level > 1 && IsLargePage(level, value) ? " large" : "");
        text.Append(!Is32Bit && (value & NoExecute) != 0 ? " no-execute" : "");
        text.Append('\n');
    }
}
