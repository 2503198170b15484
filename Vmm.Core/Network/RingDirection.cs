namespace Vmm.Core.Network;

/// <summary>Which ring of a queue pair; the numbers are those that vhost-net gives its rings.</summary>
public enum RingDirection
{
    /// <summary>Frames to the guest.</summary>
    Receive = 0,

    /// <summary>Frames from the guest.</summary>
    Transmit = 1,
}
