using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>
/// Ethernet frames without header on a UNIX stream, each behind its length as a 32-bit big-endian number: QEMU's <c>-netdev stream</c>
/// and passt's protocol.
/// </summary>
public sealed partial class UnixStreamBackend : INetworkBackend, INetworkQueue
{
    private const int PrefixSize = sizeof(uint);

    // Fixed configuration.
    private readonly UnixSocket _socket;
    private readonly int _longest;

    // Volatile state: a frame that came or went in part.
    private readonly HostBuffer _incoming = new(PrefixSize + PlainFrame.MaxLength);
    private readonly HostBuffer _outgoing = new(PrefixSize + PlainFrame.MaxLength);
    private readonly HostBuffer _comparison = new(PlainFrame.MaxLength);
    private int _received;
    private int _outgoingLength;
    private int _sent;

    private UnixStreamBackend(UnixSocket socket, string description, int? mtu)
    {
        _socket = socket;
        _longest = PlainFrame.Longest(mtu ?? UnixDatagramBackend.DefaultMtu);
        Mtu = mtu;
        Description = description;
    }

    public string Description { get; }

    public int QueueCount => 1;

    public NetworkOffloads SupportedOffloads => NetworkOffloads.None;

    public int? Mtu { get; }

    public FileDescriptor? Readiness => _socket;

    /// <summary>A longer frame than the MTU allows is dropped.</summary>
    public int MaxFrameSize => INetworkBackend.HeaderSize + _longest;

    /// <summary>Connects to the peer, which listens at <paramref name="path"/>.</summary>
    /// <param name="mtu">Bytes; null for 1500, of which the guest is not told.</param>
    public static UnixStreamBackend Open(string path, int? mtu = null)
    {
        using HostBuffer address = UnixSocket.Address(path);
        UnixSocket socket = new(LibC.SOCK_STREAM);
        int result = socket.Connect(address);
        if (result < 0)
        {
            socket.Dispose();
            throw new LinuxException("connect", path, -result, "The other side has to listen there first.");
        }

        return new UnixStreamBackend(socket, $"unix-stream {path}", mtu);
    }

    /// <summary>What <c>--net unix-stream,...</c> describes.</summary>
    public static UnixStreamBackend Open(NetworkDeviceOptions options)
        => options.Fds is [int fd] ? Adopt(fd, options.Mtu) : Open(options.Path!, options.Mtu);

    /// <summary>Takes over a connected socket.</summary>
    public static UnixStreamBackend Adopt(int fd, int? mtu = null)
        => new(UnixSocket.Adopt(fd, LibC.SOCK_STREAM, "stream"), $"unix-stream fd={fd}", mtu);

    /// <summary>Two ends of one cable.</summary>
    public static (UnixStreamBackend First, UnixStreamBackend Second) CreatePair(int? mtu = null)
    {
        (UnixSocket first, UnixSocket second) = UnixSocket.CreatePair(LibC.SOCK_STREAM);
        return (new UnixStreamBackend(first, "unix-stream pair", mtu), new UnixStreamBackend(second, "unix-stream pair", mtu));
    }

    public INetworkQueue GetQueue(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNotEqual(index, 0);
        return this;
    }

    public void SetOffloads(NetworkOffloads offloads)
    {
    }

    public void SetActiveQueues(int count) => ArgumentOutOfRangeException.ThrowIfNotEqual(count, 1);

    public void Dispose()
    {
        _socket.Dispose();
        _incoming.Dispose();
        _outgoing.Dispose();
        _comparison.Dispose();
    }
}
