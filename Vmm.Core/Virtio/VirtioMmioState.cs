namespace Vmm.Core.Virtio;

/// <summary>All that changes in a virtio-mmio transport, but for its queues.</summary>
public struct VirtioMmioState
{
    public VirtioStatus Status;

    /// <summary>The negotiated features; final once FEATURES_OK is set.</summary>
    public ulong DriverFeatures;

    public uint DeviceFeaturesSelector;

    public uint DriverFeaturesSelector;

    public uint QueueSelector;

    /// <summary>Bit 0: used buffer; bit 1: configuration change. The interrupt line is raised while this is not 0.</summary>
    public uint InterruptStatus;

    public uint ConfigGeneration;
}
