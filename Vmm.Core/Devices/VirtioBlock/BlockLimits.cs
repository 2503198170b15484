namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>What one request may ask for, as configuration space says it.</summary>
internal static class BlockLimits
{
    /// <summary>Entries of a request queue.</summary>
    public const ushort QueueSize = 256;

    /// <summary>Data buffers of a request; header and status take two more.</summary>
    public const uint Segments = QueueSize - 2;

    /// <summary>Bytes of one data buffer.</summary>
    public const uint SegmentSize = 1 << 20;

    /// <summary>Ranges of a discard. They are copied before they are looked at.</summary>
    public const int DiscardSegments = 16;

    /// <summary>Sectors of a range: 2 GiB.</summary>
    public const uint DiscardSectors = 1 << 22;

    public const int ZeroSegments = 1;

    /// <summary>Sectors: 32 MiB, which may have to be written.</summary>
    public const uint ZeroSectors = 1 << 16;

    /// <summary>Bytes for one system call; between two of them a request can be broken off.</summary>
    public const int Chunk = 1 << 20;

    /// <summary>The same for a discard, which moves no bytes.</summary>
    public const int DiscardChunk = 64 << 20;
}
