using System.Net;
using System.Net.Sockets;

namespace Vmm.Cli.Demo;

/// <summary>UDP echo (RFC 862).</summary>
internal sealed class UdpEchoClient(IPEndPoint target)
    : EchoClient(new Socket(target.AddressFamily, SocketType.Dgram, ProtocolType.Udp), target)
{
    protected override int HeaderSize => 0;

    protected override void WriteHeader(Span<byte> packet, int number)
    {
    }

    protected override ReadOnlySpan<byte> GetPayload(ReadOnlySpan<byte> received) => received;
}
