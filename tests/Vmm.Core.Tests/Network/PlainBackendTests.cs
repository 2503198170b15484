using System.Buffers.Binary;
using Tmds.Linux;
using Vmm.Core.Network;
using Vmm.Testing;

namespace Vmm.Core.Tests.Network;

/// <summary>What the three back ends without virtio_net_hdr have in common.</summary>
public sealed class PlainBackendTests
{
    public static TheoryData<string> Kinds => ["dgram", "stream"];

    [Fact]
    public void None_AnyTraffic_IsGone()
    {
        using NoneBackend none = new(4);
        using PlainWire wire = new();
        INetworkQueue queue = none.GetQueue(3);
        wire.Send(queue, PlainWire.Frame(1000)).Should().Be(1012);
        wire.Take(queue).Should().BeNull();
        queue.Readiness.Should().BeNull();
        (none.QueueCount, none.Mtu, none.SupportedOffloads).Should().Be((4, null, NetworkOffloads.None));
        none.Invoking(n => n.GetQueue(4)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Pair_FramesOfAnySize_ArriveInOrder(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, 65535);
        using PlainWire wire = new();
        foreach (int length in (int[])[1, 14, 60, 1514, 9018, 65535 + 22])
        {
            wire.Send(a.GetQueue(0), PlainWire.Frame(length, 1)).Should().Be(12 + length);
            wire.Take(b.GetQueue(0)).Should().Equal(PlainWire.Frame(length, 1));
            wire.Send(b.GetQueue(0), PlainWire.Frame(length, 2)).Should().Be(12 + length);
            wire.Take(a.GetQueue(0)).Should().Equal(PlainWire.Frame(length, 2));
            wire.Take(a.GetQueue(0)).Should().BeNull();
        }

        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Receive_LongerThanMtu_IsDropped(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, null);
        using PlainWire wire = new();
        b.GetQueue(0).MaxFrameSize.Should().Be(12 + 14 + 8 + 1500);
        wire.Send(a.GetQueue(0), PlainWire.Frame(1523)).Should().BePositive();
        wire.Send(a.GetQueue(0), PlainWire.Frame(1522)).Should().BePositive();
        wire.Take(b.GetQueue(0)).Should().HaveCount(1522);
        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Receive_TargetTooShort_CutsTheFrame(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, null);
        using PlainWire wire = new();
        wire.Send(a.GetQueue(0), PlainWire.Frame(1000));
        wire.Send(a.GetQueue(0), PlainWire.Frame(60));
        wire.Take(b.GetQueue(0), 100).Should().Equal(PlainWire.Frame(1000)[..88]);
        wire.Take(b.GetQueue(0)).Should().Equal(PlainWire.Frame(60));
        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [InlineData("dgram", 14, 20)]
    [InlineData("stream", 14, 20)]
    [InlineData("dgram", 34, 21)]
    public void Transmit_ChecksumToFillIn_IsFilledIn(string kind, int start, int payload)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, null);
        using PlainWire wire = new();
        byte[] frame = PlainWire.Frame(start + payload);
        wire.Header[0] = 1;
        BinaryPrimitives.WriteUInt16LittleEndian(wire.Header.AsSpan(6), (ushort)start);
        BinaryPrimitives.WriteUInt16LittleEndian(wire.Header.AsSpan(8), 6);
        ushort pseudo = BinaryPrimitives.ReadUInt16BigEndian(frame.AsSpan(start + 6));
        wire.Send(a.GetQueue(0), frame).Should().Be(12 + frame.Length);

        // With the right checksum, the sum of everything, the field counted once as sum and once as pseudo header, is all ones.
        byte[] received = wire.Take(b.GetQueue(0))!;
        Sum(received.AsSpan(start), pseudo).Should().Be(0xffff);
        received[..(start + 6)].Should().Equal(frame[..(start + 6)]);
        received[(start + 8)..].Should().Equal(frame[(start + 8)..]);
        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Transmit_Impossible_ReturnsErrno(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, null);
        using PlainWire wire = new();
        wire.Header = new byte[8];
        wire.Send(a.GetQueue(0), []).Should().Be(-LibC.EINVAL, "the header is cut");
        wire.Header = [0, 1, 0, 0, 0, 5, 0, 0, 0, 0, 0, 0];
        wire.Send(a.GetQueue(0), PlainWire.Frame(2000)).Should().Be(-LibC.EOPNOTSUPP, "it is to be segmented");
        wire.Header = [1, 0, 0, 0, 0, 0, 99, 0, 0, 0, 0, 0];
        wire.Send(a.GetQueue(0), PlainWire.Frame(99)).Should().Be(-LibC.EINVAL, "csum_start is outside");
        wire.Header = [1, 0, 0, 0, 0, 0, 34, 0, 64, 0, 0, 0];
        wire.Send(a.GetQueue(0), PlainWire.Frame(99)).Should().Be(-LibC.EINVAL, "the field is outside");
        wire.Header = new byte[12];
        wire.Send(a.GetQueue(0), PlainWire.Frame(69_633)).Should().Be(-LibC.EMSGSIZE);
        wire.Take(b.GetQueue(0)).Should().BeNull();
        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Transmit_PeerDoesNotRead_ReturnsZeroAndLosesNothing(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, 9000);
        using PlainWire wire = new();
        int sent = 0;
        int received = 0;
        for (int round = 0; round < 50; round++)
        {
            while (wire.Send(a.GetQueue(0), PlainWire.Frame(3000 + sent, sent)) > 0)
            {
                sent++;
            }

            for (int i = 0; i < 3 && wire.Take(b.GetQueue(0)) is { } frame; i++)
            {
                frame.Should().Equal(PlainWire.Frame(3000 + received, received));
                received++;
            }
        }

        sent.Should().BeGreaterThan(50);
        received.Should().BeGreaterThan(50);
        a.Dispose();
        b.Dispose();
    }

    [Theory]
    [MemberData(nameof(Kinds))]
    public void Traffic_Warm_AllocatesNothing(string kind)
    {
        (INetworkBackend a, INetworkBackend b) = Pair(kind, null);
        using PlainWire wire = new();
        wire.Header = [1, 0, 0, 0, 0, 0, 34, 0, 6, 0, 0, 0];
        wire.Prepare(PlainWire.Frame(1000));
        wire.Take(2000, b.GetQueue(0));
        int received = 0;
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            meter.Measure(() =>
            {
                a.GetQueue(0).Transmit(wire.Out);
                received += b.GetQueue(0).Receive(wire.In) > 0 ? 1 : 0;
                b.GetQueue(0).Receive(wire.In);
            });
        }

        meter.Least.Should().Be(0);
        received.Should().Be(meter.Steps);
        a.Dispose();
        b.Dispose();
    }

    private static (INetworkBackend A, INetworkBackend B) Pair(string kind, int? mtu)
        => kind == "dgram" ? UnixDatagramBackend.CreatePair(mtu) : UnixStreamBackend.CreatePair(mtu);

    private static ushort Sum(ReadOnlySpan<byte> bytes, uint sum)
    {
        for (int i = 0; i < bytes.Length; i++)
        {
            sum += (uint)bytes[i] << (i % 2 == 0 ? 8 : 0);
        }

        while (sum > 0xffff)
        {
            sum = (sum & 0xffff) + (sum >> 16);
        }

        return (ushort)sum;
    }
}
