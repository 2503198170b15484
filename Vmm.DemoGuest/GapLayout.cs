namespace Vmm.DemoGuest;

/// <summary>Offsets in the list of long gaps, which is also the answer to a request for it; see <see cref="DemoGuestGaps"/>.</summary>
internal static class GapLayout
{
    public const int Magic = 0;
    public const int Version = 4;
    public const int Length = 6;
    public const int Count = 8;
    public const int Entries = 16;
    public const int EntryEnd = 0;
    public const int EntryLength = 8;
    public const int EntrySize = 16;

    /// <summary>As long as a status answer.</summary>
    public const int MaximumEntries = (StatusLayout.Size - Entries) / EntrySize;

    public const uint MagicValue = 0x5041_4744; // "DGAP"
    public const ushort VersionValue = 1;

    /// <summary>Ticks; 50 to 130 us: more than a round of the main loop takes, less than any move of the machine.</summary>
    public const int Threshold = 1 << 18;
}
