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
///
/// Two processes never run rings on one TAP: the one that hands over stops its rings before its state is taken, and the other starts its own
/// when the guest is its. Who hands over and then goes on after all starts its rings again, as after any pause. A descriptor that is given
/// away itself (<see cref="IsGivenAway"/>) loses its owner with the last ring that stops, and gets one with the first that starts, on
/// whichever side that is.
/// </remarks>
/// <param name="vhost">Its owner, in the end, is this process.</param>
/// <param name="tap">Where the frames go to and come from.</param>
/// <param name="isInUse">Another process owns <paramref name="vhost"/> until its rings stand still.</param>
internal sealed class VhostQueue(VhostDescriptor vhost, TunDescriptor tap, bool isInUse) : IRingProcessor
{
    // Runtime glue.
    private readonly Lock _lock = new(); // a migration's thread says what is given away, while the guest's ring starts and stops
    private readonly RingSignals?[] _signals = new RingSignals?[2];
    private GuestMemory? _memory;

    // Volatile state: what the kernel was told.
    private readonly bool[] _runs = new bool[2];
    private bool _isOwned;
    private ulong? _features;
    private bool _isGivenAway;

    public VhostDescriptor Descriptor => vhost;

    /// <summary>
    /// Another process is to have this very descriptor: no owner is left when no ring runs. Going on takes longer then.
    /// </summary>
    public bool IsGivenAway
    {
        set
        {
            lock (_lock)
            {
                _isGivenAway = value;
                Disown();
            }
        }
    }

    public void Attach(RingDirection direction, RingSignals signals) => _signals[(int)direction] = signals;

    public void UseMemory(GuestMemory memory)
    {
        _memory = memory;
        if (!isInUse)
        {
            Own();
        }
    }

    public void Start(RingDirection direction, in VirtqueueState ring, ulong features)
    {
        GuestMemory memory = _memory ?? throw new InvalidOperationException("A ring can't start before UseMemory.");
        ulong own = features & VhostDescriptor.NeededFeatures;
        lock (_lock)
        {
            Own();
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
    }

    public ushort? Stop(RingDirection direction)
    {
        lock (_lock)
        {
            if (!_runs[(int)direction])
            {
                return null;
            }

            // ORDER: stop, then ask: the position of a ring that runs is of the past. Frames that the kernel has taken from the TAP ahead go back to it.
            _runs[(int)direction] = false;
            if (!vhost.TryRemoveBackend(direction))
            {
                throw new LinuxException("ioctl(VHOST_NET_SET_BACKEND, -1)", Vhost.DevicePath, Tmds.Linux.LibC.errno);
            }

            ushort? position = vhost.TryGetBase(direction);
            Disown();
            return position;
        }
    }

    private void Own()
    {
        if (_isOwned)
        {
            return;
        }

        // ORDER: an owner first, whose addresses all others mean; the kernel answers EPERM otherwise.
        vhost.SetOwner();
        _isOwned = true;
        _features = null;
        try
        {
            vhost.SetMemory(_memory!);
            for (int i = 0; i < _signals.Length; i++)
            {
                if (_signals[i] is { } signals)
                {
                    vhost.SetSignals((RingDirection)i, signals);
                }
            }
        }
        catch
        {
            // The next start begins at the beginning.
            _isOwned = !vhost.TryResetOwner();
            throw;
        }
    }

    private void Disown()
    {
        // ORDER: after both rings' positions were read, which are gone with the owner; before the state goes out, whose reader owns it next.
        if (_isGivenAway && _isOwned && !_runs[0] && !_runs[1])
        {
            // Should it fail, the other process is refused (EBUSY), and the guest goes on here.
            _isOwned = !vhost.TryResetOwner();
        }
    }
}
