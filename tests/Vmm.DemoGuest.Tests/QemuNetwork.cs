using System.Buffers.Binary;
using System.Diagnostics;
using System.Net.Sockets;

namespace Vmm.DemoGuest.Tests;

/// <summary>The guest in QEMU with a network whose other end is a socket of the test: no privilege, no TAP.</summary>
internal sealed class QemuNetwork : IDisposable
{
    public static readonly byte[] GuestMac = [0x52, 0x54, 0, 1, 2, 3];
    public static readonly byte[] HostMac = [2, 0, 0, 0, 0, 9];
    public static readonly byte[] GuestAddress = [10, 0, 0, 2];
    public static readonly byte[] HostAddress = [10, 0, 0, 1];

    private readonly DirectoryInfo _directory = Directory.CreateTempSubdirectory("demo-guest");
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Dgram, ProtocolType.Unspecified);
    private readonly Process _qemu;

    public QemuNetwork(string options)
    {
        string host = Path.Combine(_directory.FullName, "host"), guest = Path.Combine(_directory.FullName, "guest");
        string kernel = Path.Combine(_directory.FullName, "kernel");
        File.WriteAllBytes(kernel, DemoGuestImage.Build());
        _socket.Bind(new UnixDomainSocketEndPoint(host));
        _socket.ReceiveTimeout = 30_000;
        _qemu = QemuGuest.Start(
            kernel, "ip=10.0.0.2 " + options,
            "-netdev", $"dgram,id=n,local.type=unix,local.path={guest},remote.type=unix,remote.path={host}",
            "-device", "virtio-net-device,netdev=n,mac=52:54:00:01:02:03");
        // The guest speaks first: it announces its address.
        try
        {
            Receive().Should().Equal(Arp(GuestMac, [255, 255, 255, 255, 255, 255], 1, GuestAddress, new byte[6], GuestAddress));
            _socket.Connect(new UnixDomainSocketEndPoint(guest));
        }
        catch
        {
            Dispose();
            throw;
        }
    }

    public static byte[] Arp(
        byte[] sender, byte[] destination, byte operation, byte[] senderAddress, byte[] target, byte[] targetAddress) =>
        [.. destination, .. sender, 8, 6, 0, 1, 8, 0, 6, 4, 0, operation, .. sender, .. senderAddress, .. target, .. targetAddress];

    /// <summary>An IPv4 packet to the guest, in an Ethernet frame.</summary>
    public static byte[] Ip4(byte protocol, byte[] payload)
    {
        byte[] header = [0x45, 0, 0, 0, 0x12, 0x34, 0, 0, 64, protocol, 0, 0, .. HostAddress, .. GuestAddress];
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(2), (ushort)(20 + payload.Length));
        BinaryPrimitives.WriteUInt16BigEndian(header.AsSpan(10), (ushort)~Sum(header));
        return [.. GuestMac, .. HostMac, 8, 0, .. header, .. payload];
    }

    /// <summary>A UDP datagram from port 4000 to the guest, with its checksum.</summary>
    public static byte[] Udp(ushort port, byte[] payload)
    {
        byte[] datagram = [0x0F, 0xA0, (byte)(port >> 8), (byte)port, 0, 0, 0, 0, .. payload];
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(4), (ushort)datagram.Length);
        byte[] pseudoHeader = [.. HostAddress, .. GuestAddress, 0, 17, datagram[4], datagram[5]];
        BinaryPrimitives.WriteUInt16BigEndian(datagram.AsSpan(6), (ushort)~Sum([.. pseudoHeader, .. datagram]));
        return Ip4(17, datagram);
    }

    /// <summary>The one's complement sum of RFC 1071: 0xFFFF over something that holds its own right checksum.</summary>
    public static ushort Sum(ReadOnlySpan<byte> bytes)
    {
        uint sum = 0;
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += (uint)bytes[i] << (i % 2 == 0 ? 8 : 0);
            sum = (sum & 0xFFFF) + (sum >> 16);
        }
        return (ushort)sum;
    }

    public void Send(byte[] frame) => _socket.Send(frame);

    public byte[] Receive()
    {
        byte[] buffer = new byte[65536];
        return buffer[.._socket.Receive(buffer)];
    }

    /// <summary>Sends a frame and gives the next one from the guest.</summary>
    public byte[] Exchange(byte[] frame)
    {
        Send(frame);
        return Receive();
    }

    public DemoGuestStatus Status(byte request) => DemoGuestStatus.TryParse(Ask(request))!;

    public DemoGuestGaps Gaps() => DemoGuestGaps.TryParse(Ask(DemoGuestGaps.Request))!;

    public void Dispose()
    {
        _qemu.Kill();
        _qemu.WaitForExit();
        _qemu.Dispose();
        _socket.Dispose();
        _directory.Delete(recursive: true);
    }

    private byte[] Ask(byte request)
    {
        byte[] answer = Exchange(Udp(DemoGuestStatus.Port, [request]));
        Sum(answer.AsSpan(14, 20)).Should().Be(0xFFFF);
        byte[] pseudoHeader = [.. GuestAddress, .. HostAddress, 0, 17, answer[38], answer[39]];
        Sum([.. pseudoHeader, .. answer[34..]]).Should().Be(0xFFFF);
        return answer[42..];
    }
}
