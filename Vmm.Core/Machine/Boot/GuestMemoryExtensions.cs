using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

internal static class GuestMemoryExtensions
{
    /// <summary>Reads a part of a file to where it belongs; that this is guest RAM has been checked.</summary>
    public static void Fill(this GuestMemory memory, BootImage image, ulong offset, ulong address, ulong length)
    {
        while (length > 0)
        {
            uint part = (uint)Math.Min(length, 1 << 30);
            if (!memory.TryGetSpan(new GuestAddress(address), part, out Span<byte> target))
            {
                throw new InvalidOperationException($"{image.Name}: 0x{address:x} was checked and lies outside of guest RAM.");
            }

            image.Read(offset, target);
            offset += part;
            address += part;
            length -= part;
        }
    }
}
