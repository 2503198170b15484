using Vmm.Core.Memory;

namespace Vmm.Migration.Stream;

/// <summary>Guest RAM as one block of the stream, whose addresses are places in the memfd.</summary>
internal static class RamBlock
{
    /// <summary>Of the section, and of the block.</summary>
    public const string Name = "ram";

    /// <summary>The bytes from <paramref name="offset"/> on, as far as they lie in one region, at most <paramref name="length"/>.</summary>
    /// <remarks>Both are within the memory.</remarks>
    public static Span<byte> GetSpan(GuestMemory memory, ulong offset, ulong length)
    {
        MemoryRegion region = memory.Regions.Last(r => r.FileOffset <= offset);
        ulong place = offset - region.FileOffset;
        return memory.TryGetSpan(region.Start + place, (uint)Math.Min(length, region.Size - place), out Span<byte> span)
            ? span
            : throw new ArgumentOutOfRangeException(nameof(offset), $"{length} bytes at 0x{offset:x} are not in the memory.");
    }

    /// <summary>The guest's address of a place in the memfd.</summary>
    public static GuestAddress GetAddress(GuestMemory memory, ulong offset)
    {
        MemoryRegion region = memory.Regions.Last(r => r.FileOffset <= offset);
        return region.Start + (offset - region.FileOffset);
    }
}
