using System.Text;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Network;

/// <summary>An AF_UNIX socket and the calls of <see cref="UnixDatagramBackend"/> and <see cref="UnixStreamBackend"/>; none of them blocks.</summary>
internal sealed unsafe class UnixSocket : FileDescriptor
{
    private const int AddressSize = 110;

    public UnixSocket(int type) : base(LinuxException.ThrowIfFailed(
        LibC.socket(LibC.AF_UNIX, type | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket(AF_UNIX)", "a network back end"))
    {
    }

    private UnixSocket(int fd, bool ownsHandle) : base(fd, ownsHandle)
    {
    }

    /// <summary>Takes over a socket of the given type; left open when it is something else.</summary>
    public static UnixSocket Adopt(int fd, int type, string typeName)
    {
        int domain = 0;
        int found = 0;
        socklen_t size = sizeof(int);
        if (LibC.getsockopt(fd, LibC.SOL_SOCKET, LibC.SO_DOMAIN, &domain, &size) < 0
            || LibC.getsockopt(fd, LibC.SOL_SOCKET, LibC.SO_TYPE, &found, &size) < 0)
        {
            throw new NetworkBackendException(LibC.errno == LibC.EBADF
                ? $"fd={fd} is not an open descriptor."
                : $"fd={fd} is no socket; a UNIX {typeName} socket is needed.");
        }

        if (domain != LibC.AF_UNIX || found != type)
        {
            throw new NetworkBackendException($"fd={fd} is a socket of family {domain} and type {found}; a UNIX {typeName} socket is needed.");
        }

        LinuxException.ThrowIfFailed(LibC.fcntl(fd, LibC.F_SETFD, LibC.FD_CLOEXEC), "fcntl(F_SETFD, FD_CLOEXEC)", $"fd={fd}");
        return new UnixSocket(fd, true);
    }

    /// <summary>Two sockets that are connected with each other.</summary>
    public static (UnixSocket First, UnixSocket Second) CreatePair(int type)
    {
        int* pair = stackalloc int[2];
        LinuxException.ThrowIfFailed(
            LibC.socketpair(LibC.AF_UNIX, type | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0, pair), "socketpair(AF_UNIX)", "a network back end");
        return (new UnixSocket(pair[0], true), new UnixSocket(pair[1], true));
    }

    /// <summary>sockaddr_un in native memory, so that a later connect allocates nothing.</summary>
    public static HostBuffer Address(string path)
    {
        byte[] name = Encoding.UTF8.GetBytes(path);
        if (name.Length is 0 or >= AddressSize - sizeof(ushort))
        {
            throw new NetworkBackendException(
                $"path={path} has {name.Length} bytes; the path of a UNIX socket has 1 to {AddressSize - sizeof(ushort) - 1}.");
        }

        HostBuffer address = new(AddressSize);
        address.Span[0] = (byte)LibC.AF_UNIX;
        name.CopyTo(address.Span[sizeof(ushort)..]);
        return address;
    }

    public int Connect(HostBuffer address) => Result(LibC.connect(Number, (sockaddr*)address.Pointer, AddressSize));

    /// <summary>Returns the bytes received, or -errno.</summary>
    public int Receive(HostBuffer buffer, int offset, int length)
        => Result((nint)LibC.recv(Number, buffer.Pointer + Checked(buffer, offset, length), length, LibC.MSG_DONTWAIT));

    /// <summary>Returns the bytes sent, or -errno.</summary>
    public int Send(HostBuffer buffer, int offset, int length)
        => Result((nint)LibC.send(Number, buffer.Pointer + Checked(buffer, offset, length), length, LibC.MSG_DONTWAIT | LibC.MSG_NOSIGNAL));

    // SAFETY: what the kernel reads or writes lies within the buffer.
    private static int Checked(HostBuffer buffer, int offset, int length)
    {
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)offset, (uint)buffer.Length, nameof(offset));
        ArgumentOutOfRangeException.ThrowIfGreaterThan((uint)length, (uint)(buffer.Length - offset), nameof(length));
        return offset;
    }

    private static int Result(nint result) => result >= 0 ? (int)result : -LibC.errno;
}
