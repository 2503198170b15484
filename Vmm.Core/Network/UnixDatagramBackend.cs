using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>
/// One Ethernet frame per datagram on a UNIX socket, without header: QEMU's <c>-netdev dgram</c> of type unix. The peer may come later
/// and come again; what is sent while it is away is lost, as on a cable.
/// </summary>
public sealed class UnixDatagramBackend : INetworkBackend, INetworkQueue
{
    public const int DefaultMtu = 1500;

    private readonly UnixSocket _socket;
    private readonly UnixSocketFile? _file;
    private readonly HostBuffer? _peer;
    private readonly HostBuffer _frame = new(PlainFrame.MaxLength);
    private readonly int _longest;

    private UnixDatagramBackend(UnixSocket socket, string description, int? mtu, UnixSocketFile? file = null, HostBuffer? peer = null)
    {
        _socket = socket;
        _file = file;
        _peer = peer;
        _longest = PlainFrame.Longest(mtu ?? DefaultMtu);
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

    /// <summary>Binds <paramref name="path"/> and sends to <paramref name="peer"/>. A socket file that nobody listens to is replaced.</summary>
    /// <param name="mtu">Bytes; null for 1500, of which the guest is not told.</param>
    public static UnixDatagramBackend Open(string path, string peer, int? mtu = null)
    {
        HostBuffer address = UnixSocket.Address(peer);
        UnixSocket socket = new(LibC.SOCK_DGRAM);
        try
        {
            UnixSocketFile file = UnixSocketFile.Bind(socket, path);
            return new UnixDatagramBackend(socket, $"unix-dgram {path}", mtu, file, address);
        }
        catch
        {
            address.Dispose();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>What <c>--net unix-dgram,...</c> describes.</summary>
    public static UnixDatagramBackend Open(NetworkDeviceOptions options)
        => options.Fds is [int fd] ? Adopt(fd, options.Mtu) : Open(options.Path!, options.Peer!, options.Mtu);

    /// <summary>Takes over a connected socket.</summary>
    public static UnixDatagramBackend Adopt(int fd, int? mtu = null)
        => new(UnixSocket.Adopt(fd, LibC.SOCK_DGRAM, "datagram"), $"unix-dgram fd={fd}", mtu);

    /// <summary>Two ends of one cable.</summary>
    public static (UnixDatagramBackend First, UnixDatagramBackend Second) CreatePair(int? mtu = null)
    {
        (UnixSocket first, UnixSocket second) = UnixSocket.CreatePair(LibC.SOCK_DGRAM);
        return (new UnixDatagramBackend(first, "unix-dgram pair", mtu), new UnixDatagramBackend(second, "unix-dgram pair", mtu));
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

    public int Receive(ScatterList target)
    {
        while (true)
        {
            int length = _socket.Receive(_frame, 0, _frame.Length);
            if (length < 0)
            {
                // ECONNRESET: the peer went while frames of ours waited for it; another may come.
                return length == -LibC.EAGAIN || length == -LibC.EINTR || length == -LibC.ECONNRESET ? 0 : length;
            }

            if (length > 0 && length <= _longest)
            {
                return PlainFrame.Give(_frame.Span[..length], target);
            }
        }
    }

    public int Transmit(ScatterList source)
    {
        int length = PlainFrame.Take(source, _frame.Span);
        if (length < 0)
        {
            return length;
        }

        int result = _socket.Send(_frame, 0, length);

        // Connected, so that EPOLLOUT tells when the peer's queue has room again.
        if (_peer is not null && result is < 0 && result != -LibC.EAGAIN && result != -LibC.EMSGSIZE)
        {
            result = _socket.Connect(_peer);
            result = result < 0 ? result : _socket.Send(_frame, 0, length);
        }

        return result >= 0 ? (int)source.TotalBytes : result == -LibC.EAGAIN || result == -LibC.EINTR ? 0 : result;
    }

    public void Dispose()
    {
        if (!_socket.IsClosed)
        {
            _file?.Remove();
        }

        _socket.Dispose();
        _frame.Dispose();
        _peer?.Dispose();
    }
}
