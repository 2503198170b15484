namespace Vmm.Core.Machine.Boot;

/// <summary>A PT_LOAD program header whose numbers are known to fit the file and not to wrap.</summary>
/// <param name="Index">Its number in the program header table.</param>
/// <param name="FileOffset">Where its bytes are in the file.</param>
/// <param name="FileSize">How many bytes come from the file.</param>
/// <param name="Address">p_paddr: where it goes in guest RAM.</param>
/// <param name="VirtualAddress">p_vaddr: where the kernel will see it once it has its own page tables.</param>
/// <param name="Size">p_memsz: what exceeds <paramref name="FileSize"/> is zero.</param>
internal readonly record struct ElfSegment(int Index, ulong FileOffset, ulong FileSize, ulong Address, ulong VirtualAddress, ulong Size)
{
    /// <summary>The first address after it.</summary>
    public ulong End => Address + Size;

    public bool Contains(ulong address) => address - Address < Size;

    public override string ToString() => $"segment {Index} (0x{Address:x} to 0x{End:x})";
}
