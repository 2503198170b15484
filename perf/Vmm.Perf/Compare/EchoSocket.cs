using System.Buffers.Binary;
using System.Net;
using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Perf.Compare;

/// <summary>
/// A connected socket whose messages come back from the guest: UDP to its echo port, or ICMP echo requests. Plain system calls, so
/// that what is measured is not the client.
/// </summary>
internal sealed unsafe class EchoSocket : FileDescriptor
{
    private const int IcmpHeader = 8;
    private const int MaxIpHeader = 60;
    private const byte EchoRequest = 8;
    private const byte EchoReply = 0;

    private readonly bool _isIcmp;
    private readonly ushort _identifier = (ushort)Environment.ProcessId;

    private EchoSocket(bool isIcmp, IPAddress address, int port) : base(Open(isIcmp))
    {
        _isIcmp = isIcmp;
        // SAFETY: the address is a local of its full size; 16 bytes of sockaddr_in in network byte order.
        byte* target = stackalloc byte[sizeof(sockaddr_in)];
        Span<byte> bytes = new(target, sizeof(sockaddr_in));
        bytes.Clear();
        BinaryPrimitives.WriteUInt16LittleEndian(bytes, (ushort)LibC.AF_INET);
        BinaryPrimitives.WriteUInt16BigEndian(bytes[2..], (ushort)port);
        address.TryWriteBytes(bytes[4..], out _);
        LinuxException.ThrowIfFailed(LibC.connect(Number, (sockaddr*)target, sizeof(sockaddr_in)), "connect", $"{address}");
    }

    public static EchoSocket OpenIcmp(IPAddress address) => new(isIcmp: true, address, 0);

    public static EchoSocket OpenUdp(IPAddress address, int port) => new(isIcmp: false, address, port);

    /// <summary>Sends message <paramref name="number"/> with 56 bytes of data, as ping does. False when the interface does not take it now.</summary>
    public bool TrySend(uint number)
    {
        Span<byte> message = stackalloc byte[IcmpHeader + 56];
        message.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(message[IcmpHeader..], number);
        if (_isIcmp)
        {
            message[0] = EchoRequest;
            BinaryPrimitives.WriteUInt16BigEndian(message[4..], _identifier);
            BinaryPrimitives.WriteUInt16BigEndian(message[6..], (ushort)number);
            BinaryPrimitives.WriteUInt16BigEndian(message[2..], Checksum(message));
        }

        fixed (byte* bytes = message)
        {
            return LibC.send(Number, bytes, message.Length, LibC.MSG_DONTWAIT) == message.Length;
        }
    }

    /// <summary>Waits for an answer to this socket; false after the timeout.</summary>
    public bool TryReceive(out uint number, int timeoutMilliseconds)
    {
        Span<byte> buffer = stackalloc byte[256];
        while (true)
        {
            int length = Receive(buffer, timeoutMilliseconds);
            if (length < 0)
            {
                number = 0;
                return false;
            }

            if (TryParse(buffer[..length], out number))
            {
                return true;
            }
        }
    }

    private int Receive(Span<byte> buffer, int timeoutMilliseconds)
    {
        fixed (byte* bytes = buffer)
        {
            while (true)
            {
                long length = LibC.recv(Number, bytes, buffer.Length, LibC.MSG_DONTWAIT);
                if (length >= 0)
                {
                    return (int)length;
                }

                pollfd wait = new() { fd = Number, events = LibC.POLLIN };
                if (LibC.poll(&wait, 1, timeoutMilliseconds) == 0)
                {
                    return -1;
                }
            }
        }
    }

    private bool TryParse(ReadOnlySpan<byte> packet, out uint number)
    {
        number = 0;
        if (_isIcmp)
        {
            int header = packet.Length > 0 ? (packet[0] & 15) * 4 : 0;
            if (header is 0 or > MaxIpHeader || packet.Length < header + IcmpHeader + sizeof(uint))
            {
                return false;
            }

            packet = packet[header..];
            if (packet[0] != EchoReply || BinaryPrimitives.ReadUInt16BigEndian(packet[4..]) != _identifier)
            {
                return false;
            }
        }

        return packet.Length >= IcmpHeader + sizeof(uint) && BinaryPrimitives.TryReadUInt32LittleEndian(packet[IcmpHeader..], out number);
    }

    private static int Open(bool isIcmp)
    {
        const int IPPROTO_ICMP = 1;
        int fd = isIcmp
            ? LibC.socket(LibC.AF_INET, LibC.SOCK_RAW | LibC.SOCK_CLOEXEC, IPPROTO_ICMP)
            : LibC.socket(LibC.AF_INET, LibC.SOCK_DGRAM | LibC.SOCK_CLOEXEC, 0);
        return LinuxException.ThrowIfFailed(fd, "socket", isIcmp ? "a raw ICMP socket" : "a UDP socket", "Run it in a network namespace of its own: perf/compare-qemu does.");
    }

    private static ushort Checksum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        foreach (ushort word in MemoryMarshal.Cast<byte, ushort>(bytes))
        {
            sum += BinaryPrimitives.ReverseEndianness(word);
        }

        sum = (sum & 0xFFFF) + (sum >> 16);
        sum = (sum & 0xFFFF) + (sum >> 16);
        return (ushort)~sum;
    }
}
