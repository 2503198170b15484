using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>
/// Where a network device's frames go to and come from: the seam between front end and back end. Every frame begins with a 12-byte
/// virtio_net_hdr (virtio 1.2 section 5.1.6, version 1 layout, little endian), in both directions.
/// </summary>
/// <remarks>
/// Thread-safety: the properties are fixed at construction; <see cref="SetOffloads"/> and <see cref="SetActiveQueues"/> are called by one
/// thread at a time; each queue belongs to one I/O thread.
/// </remarks>
public interface INetworkBackend : IDisposable
{
    /// <summary>Bytes of the virtio_net_hdr before each frame.</summary>
    const int HeaderSize = 12;

    /// <summary>For people and logs: <c>tap vmtap0</c>.</summary>
    string Description { get; }

    /// <summary>How many queue pairs it can serve, 1 or more.</summary>
    int QueueCount { get; }

    /// <summary>What <see cref="SetOffloads"/> accepts: the frames that this side may hand to the guest.</summary>
    NetworkOffloads SupportedOffloads { get; }

    /// <summary>The interface's MTU in bytes, when it has one.</summary>
    int? Mtu { get; }

    /// <summary>Pair <paramref name="index"/>, from 0.</summary>
    INetworkQueue GetQueue(int index);

    /// <summary>From now on, frames to the guest may use these and no others.</summary>
    void SetOffloads(NetworkOffloads offloads);

    /// <summary>The first <paramref name="count"/> queues carry traffic from now on; the others neither receive nor transmit.</summary>
    void SetActiveQueues(int count);

    /// <summary>
    /// Guest RAM, for a back end that reaches it itself. Once, when the device is attached to the queues and before it starts one; what takes
    /// long is done here. Disposed of after the back end.
    /// </summary>
    void UseMemory(GuestMemory memory)
    {
    }
}
