using System.Buffers.Binary;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class TransmitTests
{
    private const ulong Offloads = NetGuest.Base | VirtioNetFeatures.Checksum | VirtioNetFeatures.HostTso4 | VirtioNetFeatures.HostTso6
        | VirtioNetFeatures.HostEcn | VirtioNetFeatures.HostUfo | VirtioNetFeatures.HostUso;

    public static TheoryData<int[]> Layouts => new()
    {
        new[] { 12 },
        new[] { 10 },
        new[] { 1, 11 },
        new[] { 5, 6, 7, 8 },
        new[] { 26 },
        new[] { 1000 },
        Enumerable.Repeat(1, 40).ToArray(),
        Enumerable.Repeat(13, 100).ToArray(),
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Transmit_AnyLayout_ArrivesUnchanged(int[] sizes)
    {
        using NetGuest guest = NetGuest.Started();
        byte[] frame = NetGuest.Frame(1514);

        uint head = guest.Send(frame, 1, sizes);

        guest.TakeSent().Should().Equal(frame);
        guest.Driver.WaitForUsed(1, out uint used, out uint written).Should().BeTrue();
        used.Should().Be(head);
        written.Should().Be(0);
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Transmit_AnyIndirectLayout_ArrivesUnchanged(int[] sizes)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base | VirtioFeatures.RingIndirectDescriptors);
        byte[] frame = NetGuest.Frame(1514);

        guest.SendIndirect(frame, 1, sizes);

        guest.TakeSent().Should().Equal(frame);
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
    }

    [Fact]
    public void Transmit_AsManyBuffersAsOneWritev_ArrivesUnchanged()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base | VirtioFeatures.RingIndirectDescriptors);
        byte[] frame = NetGuest.Frame(5000);

        // 1024 buffers of which the first holds more than the header: there is no room to cut it in two.
        guest.SendIndirect(frame, 1, [100, .. Enumerable.Repeat(1, 1022)]);
        guest.TakeSent().Should().Equal(frame);

        guest.SendIndirect(frame, 1, [.. Enumerable.Repeat(1, 1023)]);
        guest.TakeSent().Should().Equal(frame);
    }

    [Theory]
    [InlineData(14)]
    [InlineData(60)]
    [InlineData(65_535)]
    [InlineData(65_597)]
    public void Transmit_AnyLength_Arrives(int length)
    {
        using NetGuest guest = NetGuest.Started();
        byte[] frame = NetGuest.Frame(length);

        guest.Send(frame);

        guest.TakeSent().Should().Equal(frame);
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue("it is counted by then");
        guest.Transmitted.Bytes.Should().Be(length);
    }

    [Fact]
    public void Transmit_MoreFramesThanABatch_AllArriveInOrder()
    {
        using NetGuest guest = NetGuest.Started();
        for (int i = 0; i < 250; i++)
        {
            DriverBuffer buffer = DriverBuffer.Readable(guest.Allocate(112), 112);
            guest.Driver.Memory.Write(buffer.Address, NetGuest.Frame(100, i));
            guest.Driver.Queues[1].Add([buffer]);
        }

        guest.Driver.Notify(1);

        for (int i = 0; i < 250; i++)
        {
            guest.TakeSent().Should().Equal(NetGuest.Frame(100, i));
        }
    }

    [Theory]
    [InlineData(1, DropReason.Malformed)]
    [InlineData(11, DropReason.Malformed)]
    [InlineData(12, DropReason.Runt)]
    [InlineData(25, DropReason.Runt)]
    [InlineData(12 + 65_598, DropReason.TooLong)]
    [InlineData(1 << 20, DropReason.TooLong)]
    public void Transmit_LengthOfNoFrame_IsDroppedAndHandedBack(int length, DropReason reason)
    {
        using NetGuest guest = NetGuest.Started();
        guest.Send(new byte[length]);

        guest.Driver.WaitForUsed(1, out _, out uint written).Should().BeTrue();
        written.Should().Be(0);
        guest.Transmitted.Dropped(reason).Should().Be(1);
        guest.Backend.Queues[0].Sent.Should().BeEmpty();
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void Transmit_WritableBufferInChain_IsDropped()
    {
        using NetGuest guest = NetGuest.Started();
        ulong at = guest.Allocate(4096);
        guest.Driver.Queues[1].Add([DriverBuffer.Readable(at, 100), DriverBuffer.Writable(at + 100, 100)]);
        guest.Driver.Notify(1);

        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Transmitted.Dropped(DropReason.Malformed).Should().Be(1);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void Transmit_BackendHasNoRoom_WaitsAndLosesNothing()
    {
        using NetGuest guest = NetGuest.Started();
        MemoryQueue queue = guest.Backend.Queues[0];
        queue.Room = 3;
        for (int i = 0; i < 10; i++)
        {
            guest.Send(NetGuest.Frame(100, i));
        }

        NetGuest.WaitFor(() => guest.Transmitted.Waits > 0, "the queue waits for room");
        queue.Sent.Count.Should().Be(3);
        queue.Room = int.MaxValue;

        for (int i = 0; i < 10; i++)
        {
            guest.TakeSent().Should().Equal(NetGuest.Frame(100, i));
        }

        guest.Transmitted.TotalDropped.Should().Be(0);
    }

    [Fact]
    public void Transmit_NoRoomAndNothingToWaitFor_IsDropped()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable, new MemoryBackend(hasReadiness: false));
        guest.Backend.Queues[0].Room = 0;

        guest.Send(NetGuest.Frame(100));

        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Transmitted.Dropped(DropReason.Backend).Should().Be(1);
    }

    [Fact]
    public void Transmit_BackendRefusesFrame_IsDroppedAndGoesOn()
    {
        using NetGuest guest = NetGuest.Started();
        guest.Backend.Queues[0].TransmitError = -22;
        guest.Send(NetGuest.Frame(100));
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Transmitted.Dropped(DropReason.Backend).Should().Be(1);

        guest.Backend.Queues[0].TransmitError = 0;
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void Header_ThatMeansNothing_IsCleared()
    {
        using NetGuest guest = NetGuest.Started(Offloads);
        byte[] frame = NetGuest.Frame(100);
        byte[] header = [0xfe, 0, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff];
        header.CopyTo(frame, 0);

        guest.Send(frame);

        guest.TakeSent().Should().Equal([.. new byte[12], .. frame[12..]]);
    }

    public static TheoryData<string, byte, byte, ushort, ushort, ushort, ushort> SoundHeaders => new()
    {
        { "checksum", 1, 0, 0, 0, 34, 16 },
        { "checksum at the very end", 1, 0, 0, 0, 998, 0 },
        { "TSO4", 1, 1, 54, 1448, 34, 16 },
        { "TSO6", 1, 4, 74, 1428, 54, 16 },
        { "TSO4 with ECN", 1, 0x81, 54, 1448, 34, 16 },
        { "UFO", 1, 3, 42, 1480, 34, 6 },
        { "USO", 1, 5, 42, 1472, 34, 6 },
    };

    [Theory]
    [MemberData(nameof(SoundHeaders))]
    public void Header_WithinWhatWasNegotiated_IsPassedOn(string name, byte flags, byte type, ushort headerLength, ushort size, ushort start, ushort offset)
    {
        using NetGuest guest = NetGuest.Started(Offloads);
        byte[] frame = WithHeader(flags, type, headerLength, size, start, offset);

        guest.Send(frame);

        guest.TakeSent().Should().Equal(frame, name);
    }

    [Theory]
    [MemberData(nameof(SoundHeaders))]
    public void Header_NotNegotiated_IsDropped(string name, byte flags, byte type, ushort headerLength, ushort size, ushort start, ushort offset)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base);

        guest.Send(WithHeader(flags, type, headerLength, size, start, offset));

        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Transmitted.Dropped(DropReason.Offload).Should().Be(1, name);
        guest.Backend.Queues[0].Sent.Should().BeEmpty();
    }

    [Theory]
    [InlineData("checksum behind the end", 1, 0, 0, 0, 999, 0)]
    [InlineData("checksum start far off", 1, 0, 0, 0, 0xffff, 0)]
    [InlineData("checksum sum overflows 16 bits", 1, 0, 0, 0, 0xffff, 0xffff)]
    [InlineData("unknown type", 1, 2, 54, 1448, 34, 16)]
    [InlineData("unknown type with ECN", 1, 0xff, 54, 1448, 34, 16)]
    [InlineData("ECN without a type", 1, 0x80, 54, 1448, 34, 16)]
    [InlineData("header length beyond the frame", 1, 1, 1001, 1448, 34, 16)]
    [InlineData("segments of nothing", 1, 1, 54, 0, 34, 16)]
    public void Header_ThatContradictsTheFrame_IsDropped(string name, byte flags, byte type, ushort headerLength, ushort size, ushort start, ushort offset)
    {
        using NetGuest guest = NetGuest.Started(Offloads);

        guest.Send(WithHeader(flags, type, headerLength, size, start, offset));

        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Transmitted.Dropped(DropReason.Malformed).Should().Be(1, name);
        guest.Backend.Queues[0].Sent.Should().BeEmpty();
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Transmit_IndexesWrapAround_NothingIsLost(bool eventIndex)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base | (eventIndex ? VirtioFeatures.RingEventIndex : 0));
        DriverQueue queue = guest.Driver.Queues[1];
        DriverBuffer buffer = DriverBuffer.Readable(guest.Allocate(112), 112);
        guest.Driver.Memory.Write(buffer.Address, NetGuest.Frame(100));
        const int count = 70_000;
        int sent = 0;
        int used = 0;
        while (used < count)
        {
            while (sent < count && queue.FreeDescriptors > 0)
            {
                queue.Add([buffer]);
                sent++;
            }

            guest.Driver.Notify(1);
            guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
            used++;
            while (queue.TryGetUsed(out _, out _))
            {
                used++;
            }

            while (guest.Backend.Queues[0].Sent.TryDequeue(out byte[]? frame))
            {
                frame.Length.Should().Be(112);
            }
        }

        guest.Transmitted.Frames.Should().Be(count);
    }

    private static byte[] WithHeader(byte flags, byte type, ushort headerLength, ushort size, ushort start, ushort offset)
    {
        byte[] frame = NetGuest.Frame(1000);
        frame[0] = flags;
        frame[1] = type;
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(2), headerLength);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(4), size);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(6), start);
        BinaryPrimitives.WriteUInt16LittleEndian(frame.AsSpan(8), offset);
        return frame;
    }
}
