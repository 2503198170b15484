using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>One queue pair of a back end. Used by one thread at a time; nothing here blocks or allocates.</summary>
public interface INetworkQueue
{
    /// <summary>What an event loop watches for readiness to receive (EPOLLIN) and to transmit again (EPOLLOUT); null when nothing ever comes.</summary>
    FileDescriptor? Readiness { get; }

    /// <summary>
    /// Reads one frame, header first, into <paramref name="target"/>. Returns its bytes (header included), 0 when there is none now, or
    /// -errno. A frame longer than the target is cut: offer <see cref="MaxFrameSize"/> bytes to be sure.
    /// </summary>
    int Receive(ScatterList target);

    /// <summary>
    /// Writes one frame, header first. Returns its bytes, 0 when there is no room now (wait for EPOLLOUT), or -errno when this frame
    /// can't be sent at all.
    /// </summary>
    int Transmit(ScatterList source);

    /// <summary>The longest frame that <see cref="Receive"/> can return with the present offloads, header included, in bytes.</summary>
    int MaxFrameSize { get; }

    /// <summary>What can run the rings in the device's place; null when the device has to move the frames itself.</summary>
    IRingProcessor? RingProcessor => null;
}
