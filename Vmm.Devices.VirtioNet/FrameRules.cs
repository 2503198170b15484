namespace Vmm.Devices.VirtioNet;

/// <summary>What queue pairs know of the device's state. Immutable: a change is a new object, taken up with the next batch.</summary>
/// <param name="Features">The negotiated features.</param>
/// <param name="GuestOffloads">GUEST_* bits that frames to the guest may use.</param>
/// <param name="LinkUp">False: frames are dropped in both directions.</param>
/// <param name="Filter">Which received frames the driver wants.</param>
internal sealed record FrameRules(ulong Features, ulong GuestOffloads, bool LinkUp, ReceiveFilter Filter)
{
    /// <summary>A frame to the guest may span several chains.</summary>
    public bool IsMergeable { get; } = (Features & VirtioNetFeatures.MergeableReceiveBuffers) != 0;
}
