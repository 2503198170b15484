using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A stream socket that listens, on a path or on a TCP port. The path goes when it is disposed, if it is still its own.</summary>
public sealed unsafe class ListeningSocket : FileDescriptor
{
    private const ushort OwnerOnly = 0x180; // 0600
    private const int Backlog = 4;

    private readonly UnixSocketFile? _file;

    /// <summary>Takes over a socket that listens already.</summary>
    public ListeningSocket(int fd) : this(fd, null)
    {
        int flags = LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_GETFL), "fcntl(F_GETFL)", $"fd {fd}");
        LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFL, flags | LibC.O_NONBLOCK), "fcntl(F_SETFL)", $"fd {fd}");
        LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD)", $"fd {fd}");
    }

    private ListeningSocket(int fd, UnixSocketFile? file) : base(fd) => _file = file;

    /// <summary>Listens on <paramref name="path"/>, which only this user and root can connect to (mode 0600).</summary>
    /// <exception cref="LinuxException">Something else is there, or the folder refused.</exception>
    public static ListeningSocket Listen(string path)
    {
        FileDescriptor socket = StreamSocket.Create(LibC.AF_UNIX, path);
        UnixSocketFile? file = null;
        try
        {
            // ORDER: before bind, which makes the file with the socket's mode: it is never there with another one.
            LinuxException.ThrowIfFailed(LibC.fchmod(socket.Number, (mode_t)OwnerOnly), "fchmod", path);
            file = UnixSocketFile.Bind(socket, path);
            LinuxException.ThrowIfFailed(LibC.listen(socket.Number, Backlog), "listen", path);
            return new ListeningSocket(Take(socket), file);
        }
        catch
        {
            file?.Remove();
            socket.Dispose();
            throw;
        }
    }

    /// <summary>Listens on a TCP port; 0 lets the kernel choose one.</summary>
    /// <exception cref="LinuxException">The port is taken, or the address is none of this host.</exception>
    public static ListeningSocket Listen(IPEndPoint endPoint)
    {
        string subject = endPoint.ToString();
        FileDescriptor socket = StreamSocket.Create(endPoint.AddressFamily == AddressFamily.InterNetworkV6 ? LibC.AF_INET6 : LibC.AF_INET, subject);
        try
        {
            int on = 1;
            LinuxException.ThrowIfFailed(LibC.setsockopt(socket.Number, LibC.SOL_SOCKET, LibC.SO_REUSEADDR, &on, sizeof(int)), "setsockopt(SO_REUSEADDR)", subject);
            byte* address = stackalloc byte[28];
            int length = StreamSocket.Write(endPoint, address);
            LinuxException.ThrowIfFailed(LibC.bind(socket.Number, (sockaddr*)address, length), "bind", subject, "Choose a free port of an address of this host.");
            LinuxException.ThrowIfFailed(LibC.listen(socket.Number, Backlog), "listen", subject);
            return new ListeningSocket(Take(socket), null);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    /// <summary>The TCP port; 0 for a socket of another kind.</summary>
    public int Port
    {
        get
        {
            byte* address = stackalloc byte[128];
            socklen_t size = 128;
            LinuxException.ThrowIfFailed(LibC.getsockname(Number, (sockaddr*)address, &size), "getsockname", $"fd {Number}");
            int family = BinaryPrimitives.ReadUInt16LittleEndian(new ReadOnlySpan<byte>(address, 2));
            return family == LibC.AF_INET || family == LibC.AF_INET6 ? BinaryPrimitives.ReadUInt16BigEndian(new ReadOnlySpan<byte>(address + 2, 2)) : 0;
        }
    }

    /// <summary>The next one who connects; null when nobody does in time.</summary>
    /// <param name="milliseconds">-1 waits for ever.</param>
    public MessageSocket? Accept(int milliseconds)
    {
        pollfd poll = new() { fd = Number, events = LibC.POLLIN };
        if (Libc.poll(&poll, 1, milliseconds) <= 0)
        {
            return null;
        }

        int fd = LibC.accept4(Number, null, null, LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK);
        int errno = LibC.errno;
        if (fd < 0 && errno != LibC.EAGAIN && errno != LibC.ECONNABORTED && errno != LibC.EINTR)
        {
            throw new LinuxException("accept4", "a listening socket", errno);
        }

        MessageSocket? socket = fd < 0 ? null : new MessageSocket(fd);
        if (socket is not null)
        {
            StreamSocket.SetNoDelay(socket); // where it is TCP
        }

        return socket;
    }

    protected override bool ReleaseHandle()
    {
        _file?.Remove();
        return base.ReleaseHandle();
    }

    private static int Take(FileDescriptor socket)
    {
        int fd = socket.Number;
        socket.SetHandleAsInvalid();
        return fd;
    }
}
