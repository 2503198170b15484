namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>Feature bits of a block device (virtio 1.2 section 5.2.3).</summary>
public static class VirtioBlockFeatures
{
    public const ulong SizeMax = 1ul << 1;
    public const ulong SegmentMax = 1ul << 2;
    public const ulong ReadOnly = 1ul << 5;
    public const ulong BlockSize = 1ul << 6;
    public const ulong Flush = 1ul << 9;
    public const ulong Topology = 1ul << 10;
    public const ulong ConfigWriteCache = 1ul << 11;
    public const ulong MultiQueue = 1ul << 12;
    public const ulong Discard = 1ul << 13;
    public const ulong WriteZeroes = 1ul << 14;

    /// <summary>What a device of so many queues on this image offers.</summary>
    internal static ulong Offered(DiskImage image, int queues)
        => SizeMax | SegmentMax | BlockSize | Topology
            | (image.IsReadOnly ? ReadOnly : Flush | ConfigWriteCache | WriteZeroes)
            | (image.CanDiscard ? Discard : 0)
            | (queues > 1 ? MultiQueue : 0);
}
