using Vmm.Core.Devices;

namespace Vmm.Core.Network;

/// <summary>What the frames of a device go to: the first word of <c>--net</c>.</summary>
public enum NetworkBackendKind
{
    /// <summary><c>none</c>: <see cref="NoneBackend"/>.</summary>
    None,

    /// <summary><c>tap</c>.</summary>
    Tap,

    /// <summary><c>unix-dgram</c>: <see cref="UnixDatagramBackend"/>.</summary>
    UnixDatagram,

    /// <summary><c>unix-stream</c>: <see cref="UnixStreamBackend"/>.</summary>
    UnixStream,
}

/// <summary>Which threads move the frames of a device.</summary>
public enum NetworkThreads
{
    /// <summary><c>iothread=per-queue</c>: one for each queue pair.</summary>
    PerQueue,

    /// <summary><c>iothread=shared</c>: one for the device.</summary>
    Shared,
}

/// <summary>
/// One network device as <c>--net</c> describes it, checked:
/// <c>tap,id=net0,ifname=vmtap0,queues=2,mac=52:54:00:12:34:56,mtu=1500</c>.
/// </summary>
public sealed partial record NetworkDeviceOptions : DeviceOptions
{
    public const int MaxQueues = 16;

    /// <summary>The least and the greatest MTU that virtio allows (virtio 1.2 section 5.1.4.1).</summary>
    public const int MinMtu = 68;

    public const int MaxMtu = 65535;

    /// <summary>The greatest MTU of a TAP: Linux counts the Ethernet header in (drivers/net/tun.c, MAX_MTU).</summary>
    public const int MaxTapMtu = 65521;

    public NetworkBackendKind Kind { get; init; }

    /// <summary>The TAP to attach to; null for one that is made under a free name.</summary>
    public string? IfName { get; init; }

    /// <summary>Open descriptors, one per queue pair, instead of a name or a path; empty when none were given.</summary>
    public IReadOnlyList<int> Fds { get; init; } = [];

    /// <summary>Queue pairs, 1 to 16; the number of <see cref="Fds"/> when there are any.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>The guest's address, unicast; null for a random one.</summary>
    public MacAddress? Mac { get; init; }

    /// <summary>The MTU that the guest is told, 68 to 65,535 bytes, of a TAP 65,521; null for the back end's own.</summary>
    public int? Mtu { get; init; }

    /// <summary>Of a TAP by name: bytes of frames on their way into the host before a transmit has to wait; null for the kernel's default, no limit.</summary>
    public int? SendBuffer { get; init; }

    /// <summary>Of a TAP: the kernel moves the frames (vhost-net).</summary>
    public bool Vhost { get; init; }

    /// <summary>Open descriptors of /dev/vhost-net, one per queue pair, for <see cref="Vhost"/>; empty to open it.</summary>
    public IReadOnlyList<int> VhostFds { get; init; } = [];

    /// <summary>The UNIX socket: of a stream, the peer's that is connected to; of datagrams, our own.</summary>
    public string? Path { get; init; }

    /// <summary>The peer's socket, for datagrams.</summary>
    public string? Peer { get; init; }

    public NetworkThreads Threads { get; init; }
}
