using System.Buffers.Binary;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Cli.Machines;

/// <summary>
/// Makes a guest known where its network device has got another back end: a switch has to learn its port. The driver does it, if it knows
/// how; a RARP request in its name is sent in any case (RFC 903), which QEMU does too.
/// </summary>
internal static class Announcement
{
    private const int FrameSize = 60;
    private const ushort EtherTypeRarp = 0x8035;
    private const ushort Ethernet = 1;
    private const ushort IPv4 = 0x0800;
    private const ushort ReverseRequest = 3;

    /// <summary>For a device whose queues stand still.</summary>
    public static void Send(NetworkCard card)
    {
        using HostBuffer buffer = new(INetworkBackend.HeaderSize + FrameSize);
        using ScatterList list = new(1);
        buffer.Span.Clear();
        WriteFrame(buffer.Span[INetworkBackend.HeaderSize..], card.Device.Mac);
        list.TryAdd(buffer, buffer.Length);

        // Whether it gets through or not: an interface that is down has nobody to tell.
        _ = card.Backend.GetQueue(0).Transmit(list);
        card.Device.RequestAnnounce();
    }

    /// <summary>The sender asks for its own address.</summary>
    internal static void WriteFrame(Span<byte> frame, MacAddress mac)
    {
        MacAddress.Broadcast.CopyTo(frame);
        mac.CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherTypeRarp);
        BinaryPrimitives.WriteUInt16BigEndian(frame[14..], Ethernet);
        BinaryPrimitives.WriteUInt16BigEndian(frame[16..], IPv4);
        frame[18] = MacAddress.Length;
        frame[19] = sizeof(uint);
        BinaryPrimitives.WriteUInt16BigEndian(frame[20..], ReverseRequest);
        mac.CopyTo(frame[22..]);
        mac.CopyTo(frame[32..]);
    }
}
