using System.Buffers.Binary;
using System.Net;
using Vmm.Backends.Tap;
using Vmm.Core.Network;

namespace Vmm.Perf.Benchmarks;

/// <summary>A TAP in a network namespace of its own, and frames to pass through it.</summary>
internal sealed class TapFixture : IDisposable
{
    public const string Name = "perf0";
    public const int HeaderSize = INetworkBackend.HeaderSize;

    private const int EthernetHeader = 14;
    private const int Ip4Header = 20;

    private readonly NetworkNamespace _namespace = NetworkNamespace.Create("perf");

    public TapFixture()
    {
        Tap = _namespace.Run(() =>
        {
            TapBackend tap = TapBackend.Open(new TapOptions { Name = Name, Mode = TapOpenMode.CreateNew });
            NetworkLink.SetMtu(Name, 9000);
            NetworkLink.AddIPAddress(Name, IPAddress.Parse("10.9.9.1"), 24);
            return tap;
        });
    }

    public TapBackend Tap { get; }

    /// <summary>Runs on the namespace's thread.</summary>
    public T Run<T>(Func<T> function) => _namespace.Run(function);

    /// <summary>
    /// A frame with its 12-byte header that the host drops early: UDP over IPv4 to an address that is not its own. Above the MTU it says that
    /// it is a TCP segment to be cut (TSO), as a guest's stack would hand it over.
    /// </summary>
    /// <param name="length">Bytes, Ethernet header included.</param>
    public static byte[] Frame(int length)
    {
        byte[] frame = new byte[HeaderSize + length];
        Span<byte> ethernet = frame.AsSpan(HeaderSize);
        new MacAddress(0x5254_0000_0001).CopyTo(ethernet);
        new MacAddress(0x5254_0000_0002).CopyTo(ethernet[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(ethernet[12..], 0x0800);
        bool isSegmented = length > 9000 + EthernetHeader;
        Span<byte> ip = ethernet[EthernetHeader..];
        ip[0] = 0x45;
        BinaryPrimitives.WriteUInt16BigEndian(ip[2..], (ushort)(length - EthernetHeader));
        ip[8] = 64;
        ip[9] = isSegmented ? (byte)6 : (byte)17;
        BinaryPrimitives.WriteUInt32BigEndian(ip[12..], 0x0A09_0902);
        BinaryPrimitives.WriteUInt32BigEndian(ip[16..], 0x0A09_0903);
        if (isSegmented)
        {
            ip[Ip4Header + 12] = 5 << 4; // TCP's data offset
            frame[0] = 1; // VIRTIO_NET_HDR_F_NEEDS_CSUM
            frame[1] = 1; // VIRTIO_NET_HDR_GSO_TCPV4
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(2), EthernetHeader + Ip4Header + 20);
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(4), 1448);
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), EthernetHeader + Ip4Header);
            BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(8), 16);
        }
        else
        {
            BinaryPrimitives.WriteUInt16BigEndian(ip[(Ip4Header + 4)..], (ushort)(length - EthernetHeader - Ip4Header));
        }

        return frame;
    }

    public void Dispose()
    {
        Tap.Dispose();
        _namespace.Dispose();
    }
}
