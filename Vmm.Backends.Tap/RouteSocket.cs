using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Backends.Tap;

/// <summary>A netlink socket for the network namespace in which it was opened: interfaces and addresses. For set-up, not for hot paths.</summary>
internal sealed unsafe class RouteSocket : IDisposable
{
    private const int NETLINK_ROUTE = 0;
    private const int AnswerSize = 32 * 1024;

    private readonly FileDescriptor _socket = new(LinuxException.ThrowIfFailed(
        LibC.socket(LibC.AF_NETLINK, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, NETLINK_ROUTE), "socket(AF_NETLINK)", "the network's configuration"));

    private readonly byte[] _answer = new byte[AnswerSize];

    /// <summary>Sends one request and waits for its answer.</summary>
    /// <param name="answer">The message that came, without its header.</param>
    /// <returns>0 or -errno.</returns>
    public int Request(scoped ReadOnlySpan<byte> request, out ReadOnlySpan<byte> answer)
    {
        answer = default;
        fixed (byte* data = request)
        {
            if (LibC.send(_socket.Number, data, request.Length, 0) < 0)
            {
                return -LibC.errno;
            }
        }

        nint length;
        fixed (byte* data = _answer)
        {
            length = (nint)LibC.recv(_socket.Number, data, AnswerSize, 0);
        }

        if (length < RouteMessage.HeaderSize + sizeof(int))
        {
            return length < 0 ? -LibC.errno : -LibC.EPROTO;
        }

        ReadOnlySpan<byte> message = _answer.AsSpan(0, (int)length);
        answer = message[RouteMessage.HeaderSize..];
        return MemoryMarshal.Read<ushort>(message[4..]) == RouteMessage.NLMSG_ERROR ? MemoryMarshal.Read<int>(answer) : 0;
    }

    public void Dispose() => _socket.Dispose();
}
