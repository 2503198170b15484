using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Testing.Network;

/// <summary>
/// AF_PACKET on one interface: frames as they go out of it and come in, Ethernet header first, optionally a 10-byte virtio_net_hdr before
/// (PACKET_VNET_HDR), which is how frames to be segmented get in and out whole.
/// </summary>
public sealed unsafe class NetworkPacketSocket : IDisposable
{
    public const int VnetHeaderSize = 10;

    private const int SOL_PACKET = 263;
    private const int PACKET_VNET_HDR = 15;
    private const int PACKET_IGNORE_OUTGOING = 23;
    private const ushort ETH_P_ALL = 3;

    private readonly FileDescriptor _socket;

    /// <summary>Opens in the network namespace of the calling thread.</summary>
    public NetworkPacketSocket(int interfaceIndex, bool vnetHeader)
    {
        // ORDER: protocol 0 hears nothing; with options set, bind starts to listen.
        _socket = new FileDescriptor(LinuxException.ThrowIfFailed(
            LibC.socket(LibC.AF_PACKET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC | LibC.SOCK_NONBLOCK, 0), "socket(AF_PACKET)", "a test"));
        Set(PACKET_IGNORE_OUTGOING);
        if (vnetHeader)
        {
            Set(PACKET_VNET_HDR);
        }

        sockaddr_ll address = new() { sll_family = (ushort)LibC.AF_PACKET, sll_protocol = LibC.htons(ETH_P_ALL), sll_ifindex = interfaceIndex };
        LinuxException.ThrowIfFailed(LibC.bind(_socket.Number, (sockaddr*)&address, sizeof(sockaddr_ll)), "bind(AF_PACKET)", $"interface {interfaceIndex}");
    }

    /// <summary>Sends one frame out of the interface, that is to whoever reads the TAP.</summary>
    public void Send(ReadOnlySpan<byte> frame)
    {
        fixed (byte* data = frame)
        {
            LinuxException.ThrowIfFailed((int)(nint)LibC.send(_socket.Number, data, frame.Length, 0), "send(AF_PACKET)", $"a frame of {frame.Length} bytes");
        }
    }

    /// <summary>The next frame that came in by the interface, that is which somebody wrote to the TAP; empty when none comes in time.</summary>
    public byte[] Receive(int timeoutMilliseconds = 2000)
    {
        if (!NetworkReadiness.Wait(_socket, timeoutMilliseconds))
        {
            return [];
        }

        byte[] buffer = new byte[VnetHeaderSize + 70_000];
        fixed (byte* data = buffer)
        {
            int length = LinuxException.ThrowIfFailed((int)(nint)LibC.recv(_socket.Number, data, buffer.Length, 0), "recv(AF_PACKET)", "a test");
            return buffer[..length];
        }
    }

    public void Dispose() => _socket.Dispose();

    private void Set(int option)
    {
        int one = 1;
        LinuxException.ThrowIfFailed(LibC.setsockopt(_socket.Number, SOL_PACKET, option, &one, sizeof(int)), "setsockopt(SOL_PACKET)", $"option {option}");
    }
}
