using System.Buffers.Binary;
using Vmm.Core.Memory;
using Vmm.Core.Network;

namespace Vmm.Backends.Tap.Tests;

/// <summary>A frame buffer with its list of ranges, and what is in it.</summary>
internal sealed class Frames : IDisposable
{
    /// <summary>An experimental EtherType (IEEE Std 802), so that nobody but the test has a use for the frame.</summary>
    public const ushort EtherType = 0x88b5;

    private readonly HostBuffer _buffer;

    public Frames(int capacity = 70_000)
    {
        _buffer = new HostBuffer(capacity);
        List = new ScatterList(4);
        Use(capacity);
    }

    public ScatterList List { get; }

    public Span<byte> Bytes => _buffer.Span;

    /// <summary>The frame behind the virtio_net_hdr.</summary>
    public Span<byte> Ethernet => _buffer.Span[INetworkBackend.HeaderSize..];

    /// <summary>The list covers the first bytes of the buffer.</summary>
    public ScatterList Use(int length)
    {
        List.Clear();
        List.TryAdd(_buffer, length).Should().BeTrue();
        return List;
    }

    /// <summary>A broadcast frame of so many bytes, numbered, without checksum or segmentation; the list covers header and frame.</summary>
    public ScatterList Write(int frameLength, uint number)
    {
        Bytes[..INetworkBackend.HeaderSize].Clear();
        Fill(Ethernet[..frameLength], number);
        return Use(INetworkBackend.HeaderSize + frameLength);
    }

    public static byte[] Make(int frameLength, uint number)
    {
        byte[] frame = new byte[frameLength];
        Fill(frame, number);
        return frame;
    }

    /// <summary>Receives until a frame of the test's EtherType comes; its length without header, 0 when none comes in time.</summary>
    public int ReceiveOurs(INetworkQueue queue, int timeoutMilliseconds = 2000)
    {
        while (Vmm.Testing.Network.NetworkReadiness.Wait(queue.Readiness!, timeoutMilliseconds))
        {
            int length = queue.Receive(Use(_buffer.Length));
            length.Should().BeGreaterThanOrEqualTo(0);
            if (length > 0 && BinaryPrimitives.ReadUInt16BigEndian(Ethernet[12..]) == EtherType)
            {
                return length - INetworkBackend.HeaderSize;
            }
        }

        return 0;
    }

    public void Dispose()
    {
        List.Dispose();
        _buffer.Dispose();
    }

    private static void Fill(Span<byte> frame, uint number)
    {
        for (int i = 0; i < frame.Length; i++)
        {
            frame[i] = (byte)(i + number);
        }

        MacAddress.Broadcast.CopyTo(frame);
        new MacAddress(0x5254_0000_0001).CopyTo(frame[6..]);
        BinaryPrimitives.WriteUInt16BigEndian(frame[12..], EtherType);
        BinaryPrimitives.WriteUInt32BigEndian(frame[14..], number);
    }
}
