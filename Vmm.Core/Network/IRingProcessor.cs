using Vmm.Core.Virtio;

namespace Vmm.Core.Network;

/// <summary>
/// Runs the two rings of a queue pair in the device's place, in the kernel (vhost). The device keeps the control queue, configuration
/// space and all decisions; it hands a ring over with its addresses and positions, and takes it back with the positions where it stands then.
/// </summary>
/// <remarks>
/// One thread at a time. The processor takes and uses chains, and decides by itself when the driver wants an interrupt
/// (VIRTIO_F_EVENT_IDX included): a signal of <see cref="RingSignals.Call"/> is one that must reach the driver.
/// </remarks>
public interface IRingProcessor
{
    /// <summary>Says how the ring and its processor reach each other. Once, before the first <see cref="Start"/>; the descriptors stay the caller's.</summary>
    void Attach(RingDirection direction, RingSignals signals);

    /// <summary>Runs the ring from where <paramref name="ring"/> says. A doorbell that has rung before is not looked at: ring it again after this.</summary>
    /// <param name="direction">Which of the two.</param>
    /// <param name="ring">Ready, its addresses checked against guest memory.</param>
    /// <param name="features">All that was negotiated; the same for both rings.</param>
    /// <exception cref="Linux.LinuxException">The host refused; the ring does not run, and is as it was.</exception>
    void Start(RingDirection direction, in VirtqueueState ring, ulong features);

    /// <summary>
    /// Stops the ring where it is. When this returns nobody touches it: all that was taken is used, and all signals are given.
    /// </summary>
    /// <returns>The free-running index of the next chain to take; null when the host does not tell: then all that was taken is used.</returns>
    ushort? Stop(RingDirection direction);
}
