using System.Buffers.Binary;

namespace Vmm.DemoGuest;

/// <summary>When the guest's main loop was away: the latest gaps between two of its iterations that were longer than 2^18 ticks.</summary>
/// <remarks>
/// The guest answers with this in place of a <see cref="DemoGuestStatus"/> to a request whose first byte is <see cref="Request"/>. The
/// answer has the same length, 448 bytes, little-endian: magic "DGAP" (4), version = 1 (2), length = 448 (2), number of gaps so far (8);
/// then 27 entries: uptime at the end of the gap, and its length, 8 bytes each, in ticks. Entry n has gap n, n + 27 and so on; 0 when there was none.
/// </remarks>
public sealed class DemoGuestGaps
{
    /// <summary>First byte of a request for this.</summary>
    public const byte Request = StatusLayout.RequestGaps;

    /// <summary>Gaps since the guest started.</summary>
    public required ulong Count { get; init; }

    /// <summary>The latest ones, in no order: uptime at the end of each, and its length, in ticks.</summary>
    public required IReadOnlyList<(ulong End, ulong Length)> Latest { get; init; }

    /// <summary>Reads an answer.</summary>
    /// <param name="datagram">Payload of the UDP datagram.</param>
    /// <returns>Null when it is no list of gaps of this version.</returns>
    public static DemoGuestGaps? TryParse(ReadOnlySpan<byte> datagram)
    {
        if (datagram.Length < StatusLayout.Size
            || BinaryPrimitives.ReadUInt32LittleEndian(datagram) != GapLayout.MagicValue
            || BinaryPrimitives.ReadUInt16LittleEndian(datagram[GapLayout.Version..]) != GapLayout.VersionValue
            || BinaryPrimitives.ReadUInt16LittleEndian(datagram[GapLayout.Length..]) != StatusLayout.Size)
        {
            return null;
        }
        List<(ulong, ulong)> latest = [];
        for (ReadOnlySpan<byte> entry = datagram[GapLayout.Entries..]; entry.Length >= GapLayout.EntrySize; entry = entry[GapLayout.EntrySize..])
        {
            ulong end = BinaryPrimitives.ReadUInt64LittleEndian(entry[GapLayout.EntryEnd..]);
            if (end != 0)
            {
                latest.Add((end, BinaryPrimitives.ReadUInt64LittleEndian(entry[GapLayout.EntryLength..])));
            }
        }
        return new DemoGuestGaps { Count = BinaryPrimitives.ReadUInt64LittleEndian(datagram[GapLayout.Count..]), Latest = latest };
    }
}
