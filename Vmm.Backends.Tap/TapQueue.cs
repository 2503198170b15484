using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

/// <summary>
/// One queue of a TAP: readv takes one frame with its header, writev gives one; -EIO while the interface is down. A detached queue
/// receives nothing, and answers -EIO to a transmit (which the kernel itself would take).
/// </summary>
internal sealed class TapQueue(TunDescriptor descriptor, TapBackend backend, bool attached) : INetworkQueue
{
    /// <summary>The kernel refuses to attach or detach twice, so what it has is kept here.</summary>
    private volatile bool _attached = attached;

    public FileDescriptor Readiness => descriptor;

    public int MaxFrameSize => backend.MaxFrameSize;

    /// <summary>What runs the rings; null when the device moves the frames.</summary>
    public VhostQueue? Vhost { get; set; }

    public IRingProcessor? RingProcessor => Vhost;

    public int Receive(ScatterList target) => Result(target.ReadFrom(descriptor));

    public int Transmit(ScatterList source) => _attached ? Result(source.WriteTo(descriptor)) : -LibC.EIO;

    public void SetAttached(bool attached)
    {
        if (attached != _attached)
        {
            if (backend.IsOwner)
            {
                descriptor.SetAttached(attached, backend.InterfaceName);
            }

            _attached = attached;
        }
    }

    private static int Result(int result) => result == -LibC.EAGAIN || result == -LibC.EINTR ? 0 : result;
}
