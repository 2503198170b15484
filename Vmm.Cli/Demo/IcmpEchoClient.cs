using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;

namespace Vmm.Cli.Demo;

/// <summary>ICMP echo (RFC 792) over a raw socket, which needs CAP_NET_RAW in the network namespace.</summary>
internal sealed class IcmpEchoClient(IPAddress target)
    : EchoClient(new Socket(AddressFamily.InterNetwork, SocketType.Raw, ProtocolType.Icmp), new IPEndPoint(target, 0))
{
    private const byte EchoReply = 0;
    private const byte EchoRequest = 8;

    private readonly ushort _identifier = (ushort)Environment.ProcessId;

    protected override int HeaderSize => 8;

    protected override void WriteHeader(Span<byte> packet, int number)
    {
        packet[..8].Clear();
        packet[0] = EchoRequest;
        BinaryPrimitives.WriteUInt16BigEndian(packet[4..], _identifier);
        BinaryPrimitives.WriteUInt16BigEndian(packet[6..], (ushort)number);
        BinaryPrimitives.WriteUInt16BigEndian(packet[2..], Checksum(packet));
    }

    protected override ReadOnlySpan<byte> GetPayload(ReadOnlySpan<byte> received)
    {
        // A raw socket delivers the IPv4 header too, and every ICMP message of the namespace.
        if (received.Length < 20 || received.Length < ((received[0] & 0xF) * 4) + 8)
        {
            return [];
        }

        ReadOnlySpan<byte> message = received[((received[0] & 0xF) * 4)..];
        bool ours = message[0] == EchoReply && BinaryPrimitives.ReadUInt16BigEndian(message[4..]) == _identifier;
        return ours && Checksum(message) == 0 ? message[8..] : [];
    }

    /// <summary>The Internet checksum (RFC 1071); 0 over a message whose checksum is right.</summary>
    private static ushort Checksum(ReadOnlySpan<byte> data)
    {
        uint sum = 0;
        for (; data.Length >= 2; data = data[2..])
        {
            sum += BinaryPrimitives.ReadUInt16BigEndian(data);
        }

        sum += data.Length == 1 ? (uint)data[0] << 8 : 0;
        sum = (sum >> 16) + (sum & 0xFFFF);
        return (ushort)~(sum + (sum >> 16));
    }
}
