using Vmm.Core.Events;

namespace Vmm.Core.Virtio;

/// <summary>
/// A kind of virtio device behind a transport.
/// </summary>
/// <remarks>
/// The transport calls all of these one at a time, with its own lock held, on whichever vCPU thread the guest used; the device's I/O threads
/// run beside them. The device must therefore never call back into the transport's registers; <see cref="IVirtioTransport"/> is
/// safe from any thread. After <see cref="Reset"/>, <see cref="ResetQueue"/> and <see cref="Pause"/> have returned, no I/O thread
/// touches the queues concerned.
/// </remarks>
public interface IVirtioDevice : IDisposable
{
    /// <summary>virtio 1.2 section 5: 1 is a network card.</summary>
    uint DeviceId { get; }

    /// <summary>The device's own feature bits; the transport adds <see cref="VirtioFeatures.Transport"/>.</summary>
    ulong OfferedFeatures { get; }

    /// <summary>The largest size of each queue, a power of two; its length is the number of queues.</summary>
    IReadOnlyList<ushort> MaxQueueSizes { get; }

    /// <summary>What the driver rings for queue <paramref name="queue"/>; the device watches it, the transport wires it up.</summary>
    EventFd GetDoorbell(int queue);

    /// <summary>Whether this set of features (a subset of what was offered) makes sense; null, or the reason why not.</summary>
    string? RejectFeatures(ulong features);

    /// <summary>Reads configuration space; bytes beyond its end are 0.</summary>
    void ReadConfig(uint offset, Span<byte> data);

    /// <summary>Writes configuration space; what is not writable is ignored.</summary>
    void WriteConfig(uint offset, ReadOnlySpan<byte> data);

    /// <summary>The driver has set DRIVER_OK: features are final, ready queues are open.</summary>
    void Activate(IVirtioTransport transport);

    /// <summary>
    /// Instead of <see cref="Activate"/> for a device that was running somewhere else: it has its state, and is paused. What the back end
    /// has already is not set again.
    /// </summary>
    void Restore(IVirtioTransport transport);

    /// <summary>A queue became ready after DRIVER_OK (virtio 1.2 section 2.6.1: re-enabled after a queue reset).</summary>
    void EnableQueue(int queue);

    /// <summary>Stops one queue and forgets what was taken from it.</summary>
    void ResetQueue(int queue);

    /// <summary>Back to the state after construction.</summary>
    void Reset();

    /// <summary>Stops all queues where they are, without draining.</summary>
    void Pause();

    /// <summary>Goes on after <see cref="Pause"/>; looks at every queue, since doorbells may have been missed.</summary>
    void Resume();
}
