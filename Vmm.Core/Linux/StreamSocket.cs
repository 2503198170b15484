using System.Buffers.Binary;
using System.Net;
using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>Stream sockets to and from other processes, over a path or over TCP.</summary>
public static unsafe class StreamSocket
{
    /// <summary>Bytes of struct sockaddr_in6.</summary>
    private const int LongestAddress = 28;

    /// <summary>Connects to a listening AF_UNIX socket.</summary>
    /// <exception cref="LinuxException">Nobody listens there.</exception>
    public static MessageSocket Connect(string path)
    {
        FileDescriptor socket = Create(LibC.AF_UNIX, path);
        sockaddr_un address = UnixSocketFile.Address(path);
        return Finish(socket, LibC.connect(socket.Number, (sockaddr*)&address, sizeof(sockaddr_un)), path);
    }

    /// <summary>Connects over TCP, without delaying small messages.</summary>
    /// <param name="milliseconds">How long it may take.</param>
    /// <exception cref="LinuxException">Nobody listens there, or nobody answers.</exception>
    public static MessageSocket Connect(IPEndPoint endPoint, int milliseconds)
    {
        string subject = endPoint.ToString();
        FileDescriptor socket = Create(endPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6 ? LibC.AF_INET6 : LibC.AF_INET, subject);
        byte* address = stackalloc byte[LongestAddress];
        int length = Write(endPoint, address);
        int result = LibC.connect(socket.Number, (sockaddr*)address, length);
        if (result < 0 && LibC.errno == LibC.EINPROGRESS)
        {
            result = WaitForConnection(socket, milliseconds);
        }

        MessageSocket connected = Finish(socket, result, subject);
        SetNoDelay(connected);
        return connected;
    }

    internal static void SetNoDelay(FileDescriptor socket)
    {
        int on = 1;
        _ = LibC.setsockopt(socket.Number, LibC.IPPROTO_TCP, LibC.TCP_NODELAY, &on, sizeof(int));
    }

    internal static FileDescriptor Create(int family, string subject)
        => new(LinuxException.ThrowIfFailed(LibC.socket(family, LibC.SOCK_STREAM | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket", subject));

    /// <summary>Writes struct sockaddr_in or sockaddr_in6; returns its size.</summary>
    // SAFETY: `target` has LongestAddress bytes.
    internal static int Write(IPEndPoint endPoint, byte* target)
    {
        Span<byte> bytes = new(target, LongestAddress);
        bytes.Clear();
        bool version6 = endPoint.AddressFamily == System.Net.Sockets.AddressFamily.InterNetworkV6;
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)(version6 ? LibC.AF_INET6 : LibC.AF_INET));
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)endPoint.Port);
        endPoint.Address.TryWriteBytes(bytes[(version6 ? 8 : 4)..], out _);
        if (version6)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(bytes[24..], (uint)endPoint.Address.ScopeId);
        }

        return version6 ? LongestAddress : 16;
    }

    /// <summary>Returns 0, or -1 with errno.</summary>
    private static int WaitForConnection(FileDescriptor socket, int milliseconds)
    {
        pollfd poll = new() { fd = socket.Number, events = LibC.POLLOUT };
        int ready = Libc.poll(&poll, 1, milliseconds);
        int error = LibC.ETIMEDOUT;
        socklen_t size = sizeof(int);
        if (ready > 0)
        {
            LinuxException.ThrowIfFailed(LibC.getsockopt(socket.Number, LibC.SOL_SOCKET, LibC.SO_ERROR, &error, &size), "getsockopt(SO_ERROR)", "a connection");
        }

        System.Runtime.InteropServices.Marshal.SetLastPInvokeError(error);
        return error == 0 ? 0 : -1;
    }

    private static MessageSocket Finish(FileDescriptor socket, int result, string subject)
    {
        int errno = LibC.errno;
        if (result == 0)
        {
            int fd = socket.Number;
            socket.SetHandleAsInvalid();
            return new MessageSocket(fd);
        }

        socket.Dispose();
        throw new LinuxException("connect", subject, errno, errno switch
        {
            _ when errno == LibC.ENOENT || errno == LibC.ECONNREFUSED => "Nobody listens there: start the destination first.",
            _ when errno == LibC.EACCES => "Only its owner and root may connect.",
            _ when errno == LibC.EAGAIN => "Others wait there already; try again.",
            _ => null,
        });
    }
}
