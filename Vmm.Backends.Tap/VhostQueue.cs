using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Backends.Tap;

/// <summary>
/// One queue pair of a TAP whose rings the kernel runs.
/// </summary>
/// <remarks>
/// Protocol. What takes long (a thread in the kernel, the table of RAM, the eventfds) is done once, in <see cref="UseMemory"/>. A ring then
/// costs four ioctls to start and two to stop.
/// <code>
///   SET_OWNER, SET_MEM_TABLE, SET_VRING_KICK/CALL/ERR  ->  [SET_FEATURES, SET_VRING_NUM/ADDR/BASE, SET_BACKEND tap  ->  SET_BACKEND -1, GET_VRING_BASE]*
/// </code>
/// The kernel asks for no offload, header size or filter here: those are the TAP's. VHOST_NET_F_VIRTIO_NET_HDR is left off, as the TAP puts
/// the 12-byte header before each frame.
/// </remarks>
internal sealed class VhostQueue(VhostDescriptor vhost, TunDescriptor tap) : IRingProcessor
{
    // Runtime glue.
    private readonly RingSignals?[] _signals = new RingSignals?[2];
    private GuestMemory? _memory;

    // Volatile state: what the kernel was told.
    private ulong? _features;
    private readonly bool[] _runs = new bool[2];

    public VhostDescriptor Descriptor => vhost;

    public void Attach(RingDirection direction, RingSignals signals) => _signals[(int)direction] = signals;

    public void UseMemory(GuestMemory memory)
    {
        _memory = memory;

        // ORDER: an owner first, whose addresses all others mean; the kernel answers EPERM otherwise.
        vhost.SetOwner();
        vhost.SetMemory(memory);
        for (int i = 0; i < _signals.Length; i++)
        {
            if (_signals[i] is { } signals)
            {
                vhost.SetSignals((RingDirection)i, signals);
            }
        }
    }

    public void Start(RingDirection direction, in VirtqueueState ring, ulong features)
    {
        GuestMemory memory = _memory ?? throw new InvalidOperationException("A ring can't start before UseMemory.");
        ulong own = features & VhostDescriptor.NeededFeatures;
        if (_features != own)
        {
            // ORDER: before a ring runs, whose layout depends on them; a change means a reset, which has stopped both.
            vhost.SetFeatures(own);
            _features = own;
        }

        vhost.SetRing(direction, in ring, memory);

        // ORDER: last: from here on the kernel's thread is in the ring and in the TAP's queue, where nobody else may be.
        vhost.SetBackend(direction, tap);
        _runs[(int)direction] = true;
    }

    public ushort? Stop(RingDirection direction)
    {
        if (!_runs[(int)direction])
        {
            return null;
        }

        // ORDER: stop, then ask: the position of a ring that runs is of the past. Frames that the kernel has taken from the TAP ahead go back to it.
        _runs[(int)direction] = false;
        return vhost.TryRemoveBackend(direction) ? vhost.TryGetBase(direction)
            : throw new LinuxException("ioctl(VHOST_NET_SET_BACKEND, -1)", Vhost.DevicePath, Tmds.Linux.LibC.errno);
    }
}
