using Vmm.Core.State;

namespace Vmm.Core.Virtio;

/// <summary>All that changes in a virtio-mmio transport, but for its queues.</summary>
public struct VirtioMmioState : IDescribed<VirtioMmioState>
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

    public static string StateName => "virtio-mmio-registers";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref VirtioMmioState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("status", ref state.Status);
        visitor.Field("driver_features", ref state.DriverFeatures);
        visitor.Field("device_features_selector", ref state.DeviceFeaturesSelector);
        visitor.Field("driver_features_selector", ref state.DriverFeaturesSelector);
        visitor.Field("queue_selector", ref state.QueueSelector);
        visitor.Field("interrupt_status", ref state.InterruptStatus);
        visitor.Field("config_generation", ref state.ConfigGeneration);
    }
}
