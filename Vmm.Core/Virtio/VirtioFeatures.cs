namespace Vmm.Core.Virtio;

/// <summary>Feature bits that belong to the rings and the transport, not to a kind of device (virtio 1.2 section 6).</summary>
public static class VirtioFeatures
{
    public const ulong RingIndirectDescriptors = 1ul << 28;
    public const ulong RingEventIndex = 1ul << 29;
    public const ulong Version1 = 1ul << 32;
    public const ulong RingReset = 1ul << 40;

    /// <summary>What every transport here offers on top of the device's own bits.</summary>
    public const ulong Transport = RingIndirectDescriptors | RingEventIndex | Version1 | RingReset;
}
