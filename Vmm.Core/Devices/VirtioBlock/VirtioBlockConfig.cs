namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>What is decided about a block device before it exists.</summary>
/// <param name="Id">The device's name for logs and thread names: <c>disk0</c>.</param>
public sealed record VirtioBlockConfig(string Id)
{
    /// <summary>Request queues, 1 to <see cref="DiskDeviceOptions.MaxQueues"/>; more than one offers VIRTIO_BLK_F_MQ.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>What the driver reads as serial number; ASCII, at most <see cref="DiskDeviceOptions.MaxSerial"/> characters are used.</summary>
    public string Serial { get; init; } = Id;
}
