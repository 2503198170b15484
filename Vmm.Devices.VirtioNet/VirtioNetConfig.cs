using Vmm.Core.Network;

namespace Vmm.Devices.VirtioNet;

/// <summary>What is decided about a network card before it exists.</summary>
/// <param name="Id">The device's name for logs and thread names: <c>net0</c>.</param>
/// <param name="Mac">The address that the driver finds in configuration space.</param>
public sealed record VirtioNetConfig(string Id, MacAddress Mac)
{
    /// <summary>
    /// Receive and transmit queue pairs, 1 to <see cref="VirtioNetDevice.MaxQueuePairs"/>; more than one offers VIRTIO_NET_F_MQ.
    /// </summary>
    public int QueuePairs { get; init; } = 1;

    /// <summary>The MTU that the driver is told, in bytes; null takes the back end's, when it has one.</summary>
    public int? Mtu { get; init; }

    /// <summary>The largest size of the receive and transmit queues, a power of two.</summary>
    public ushort QueueSize { get; init; } = 256;

    /// <summary>One I/O thread for all queue pairs instead of one for each.</summary>
    public bool SharedIoThread { get; init; }

    /// <summary>What the driver reads as link speed, in Mbit/s; null for unknown.</summary>
    public uint? SpeedMbps { get; init; } = 10_000;
}
