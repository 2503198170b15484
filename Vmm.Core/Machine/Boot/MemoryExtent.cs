namespace Vmm.Core.Machine.Boot;

/// <summary>A piece of guest RAM that a kernel takes.</summary>
/// <param name="What">For messages: <c>segment 1</c>.</param>
/// <param name="Address">The first byte.</param>
/// <param name="End">The first address after it.</param>
internal readonly record struct MemoryExtent(string What, ulong Address, ulong End)
{
    public override string ToString() => $"{What} (0x{Address:x} to 0x{End:x})";
}
