using Vmm.Core.Linux;
using Vmm.Core.Network;
using static Vmm.Backends.Tap.Tun;

namespace Vmm.Backends.Tap;

/// <summary>
/// A TAP interface of the host. The interface that this made goes with its last descriptor; one that was there before stays.
/// </summary>
/// <remarks>
/// After <see cref="Open(TapOptions)"/> only the first queue is attached and no offload is on, as a virtio-net device needs it after
/// reset. <see cref="Adopt(IReadOnlyList{int})"/> changes neither: the interface may have a running guest on it.
/// </remarks>
public sealed partial class TapBackend : INetworkBackend
{
    private readonly TunDescriptor[] _descriptors;
    private readonly TapQueue[] _queues;
    private readonly bool _multiQueue;

    private volatile int _maxFrameSize;

    /// <summary>Whether the interface has the offloads of <see cref="_state"/>: an adopted one has what it has.</summary>
    private bool _offloadsKnown;

    private TapBackend(string name, TunDescriptor[] descriptors, bool[] attached, ushort flags)
    {
        InterfaceName = name;
        _descriptors = descriptors;
        _queues = new TapQueue[descriptors.Length];
        for (int i = 0; i < descriptors.Length; i++)
        {
            _queues[i] = new TapQueue(descriptors[i], this, attached[i]);
        }

        _multiQueue = (flags & IFF_MULTI_QUEUE) != 0;
        IsPersistent = (flags & IFF_PERSIST) != 0;
    }

    public string InterfaceName { get; }

    public string Description => UsesVhost ? $"tap {InterfaceName}, vhost" : $"tap {InterfaceName}";

    public int QueueCount => _queues.Length;

    public NetworkOffloads SupportedOffloads { get; private set; }

    public int? Mtu { get; private set; }

    /// <summary>The host's own address on the interface, for people; the guest has another.</summary>
    public MacAddress? HostAddress { get; private init; }

    /// <summary>Set up (IFF_UP) when it was opened or adopted; null when it is out of reach, in another namespace.</summary>
    public bool? IsUp { get; private init; }

    /// <summary>The interface outlives its descriptors (TUNSETPERSIST, as <c>ip tuntap add</c> sets it).</summary>
    public bool IsPersistent { get; }

    /// <summary>The open files, one per queue, in queue order: what a hand-over passes on. They stay owned by this.</summary>
    public IReadOnlyList<FileDescriptor> Descriptors => _descriptors;

    internal int MaxFrameSize => _maxFrameSize;

    public INetworkQueue GetQueue(int index) => _queues[index];

    /// <summary>
    /// TUNSETOFFLOAD. The kernel takes segmentation only together with checksums, and USO4 only together with USO6: what lacks its
    /// partner is left off, so frames may use fewer than asked, never more.
    /// </summary>
    public void SetOffloads(NetworkOffloads offloads)
    {
        NetworkOffloads taken = TapOffloads.Normalize(offloads & SupportedOffloads);
        if (_offloadsKnown && taken == _state.Offloads)
        {
            return;
        }

        if (IsOwner && !_descriptors[0].TrySetOffload(taken))
        {
            throw new LinuxException("ioctl(TUNSETOFFLOAD)", $"{InterfaceName}, {taken}", Tmds.Linux.LibC.errno);
        }

        _offloadsKnown = true;
        _state.Offloads = taken;
        _maxFrameSize = TapOffloads.MaxFrameSize(taken, Mtu);
    }

    /// <summary>TUNSETQUEUE. Frames that a queue held when it is detached are dropped by the kernel.</summary>
    public void SetActiveQueues(int count)
    {
        ArgumentOutOfRangeException.ThrowIfNegativeOrZero(count);
        ArgumentOutOfRangeException.ThrowIfGreaterThan(count, _queues.Length);
        _state.ActiveQueues = (ushort)count;
        if (!_multiQueue)
        {
            return;
        }

        // ORDER: attach before detach, so that the interface has a carrier throughout.
        for (int i = 0; i < count; i++)
        {
            _queues[i].SetAttached(true);
        }

        for (int i = count; i < _queues.Length; i++)
        {
            _queues[i].SetAttached(false);
        }
    }

    public void Dispose()
    {
        // ORDER: before the TAPs, which the kernel holds open for them.
        DisposeAll(_queues.Select(queue => queue.Vhost?.Descriptor));
        DisposeAll(_successors);
        foreach (TunDescriptor descriptor in _descriptors)
        {
            descriptor.Dispose();
        }
    }
}
