using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class ReceiveTests
{
    private const ulong Checksums = NetGuest.Mergeable | VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestTso4 | VirtioNetFeatures.GuestEcn
        | VirtioNetFeatures.GuestUso4 | VirtioNetFeatures.GuestUso6;

    public static TheoryData<uint[]> Layouts => new()
    {
        new uint[] { 2048 },
        new uint[] { 12, 2048 },
        new uint[] { 1, 2048 },
        new uint[] { 5, 6, 7, 2048 },
        Enumerable.Repeat(1u, 30).Append(2048u).ToArray(),
        Enumerable.Repeat(13u, 200).ToArray(),
    };

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Receive_AnyLayout_HoldsTheFrame(uint[] sizes)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base);
        guest.Post(0, sizes);
        guest.Driver.Notify(0);
        byte[] frame = NetGuest.Frame(1514);

        guest.Backend.Queues[0].Inject(frame);

        byte[] got = guest.TakeFrame();
        got[12..].Should().Equal(frame[12..]);
        got[..12].Should().Equal([0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0], "virtio 1.2 section 5.1.6.4.1: num_buffers is 1");
    }

    [Theory]
    [MemberData(nameof(Layouts))]
    public void Receive_AnyIndirectLayout_HoldsTheFrame(uint[] sizes)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable | VirtioFeatures.RingIndirectDescriptors);
        guest.PostIndirect(0, sizes);
        guest.Driver.Notify(0);
        byte[] frame = NetGuest.Frame(1514);

        guest.Backend.Queues[0].Inject(frame);

        guest.TakeFrame()[12..].Should().Equal(frame[12..]);
    }

    [Theory]
    [InlineData(300u, 9000, 31)]
    [InlineData(300u, 288, 1)]
    [InlineData(300u, 289, 2)]
    [InlineData(12u, 60, 6)]
    [InlineData(1526u, 65_535, 43)]
    [InlineData(4096u, 65_549, 17)]
    [InlineData(70_000u, 65_549, 1)]
    public void Receive_MergedAcrossChains_SaysHowMany(uint chain, int length, int count)
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 60, chain);
        byte[] frame = NetGuest.Frame(length);

        guest.Backend.Queues[0].Inject(frame);

        byte[] got = guest.TakeFrame();
        got[12..].Should().Equal(frame[12..]);
        got[10..12].Should().Equal([(byte)count, 0]);
    }

    [Fact]
    public void Receive_MergedWithHeaderInSeveralChains_IsStillWhole()
    {
        // SPEC: 5.1.6.3.2: buffers hold the header at least; a driver whose do not gets them filled in order all the same.
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 100, 5);
        byte[] frame = NetGuest.Frame(100);

        guest.Backend.Queues[0].Inject(frame);

        byte[] got = [.. Enumerable.Range(0, 23).SelectMany(_ => guest.TakeChain(0))];
        got[12..].Should().Equal(frame[12..]);
        got[10..12].Should().Equal([23, 0]);
    }

    [Fact]
    public void Receive_MoreBuffersThanOneReadv_GoesThroughTheHost()
    {
        MemoryBackend backend = new();
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable | VirtioFeatures.RingIndirectDescriptors, backend);
        for (int i = 0; i < 6; i++)
        {
            guest.PostIndirect(0, [.. Enumerable.Repeat(2u, 512)]);
        }

        guest.Driver.Notify(0);
        byte[] frame = NetGuest.Frame(1900);

        backend.Queues[0].Inject(frame, NetGuest.Frame(3000), NetGuest.Frame(500, 9));

        guest.TakeFrame()[12..].Should().Equal(frame[12..]);
        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(500, 9)[12..], "what two chains of 512 ranges can't hold is dropped");
        guest.Received.Dropped(DropReason.TooLong).Should().Be(1);
    }

    [Fact]
    public void Receive_NotMergeableAndTooLong_IsDroppedAndNotCut()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base);
        guest.PostMany(0, 4, 1526);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(1515), NetGuest.Frame(1514, 2));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(1514, 2)[12..]);
        guest.Received.Dropped(DropReason.TooLong).Should().Be(1);
    }

    [Fact]
    public void Receive_LongerThanTheWholeRing_IsDropped()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 256, 12);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(4000), NetGuest.Frame(60, 2));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(60, 2)[12..]);
        guest.Received.Dropped(DropReason.TooLong).Should().Be(1);
    }

    [Fact]
    public void Receive_LongerThanTheBackendAnnounced_ArrivesWhole()
    {
        // The host has raised the interface's MTU since.
        using NetGuest guest = NetGuest.Started();
        guest.Backend.Queues[0].MaxFrameSize = 1526;
        guest.PostMany(0, 1, 1526);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(1600), NetGuest.Frame(60, 2));
        guest.PostMany(0, 2, 1526);

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(1600)[12..]);
        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(60, 2)[12..]);
    }

    [Fact]
    public void Receive_FilterChangedWhileAFrameWaits_GoesByTheNewOne()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        guest.PostMany(0, 1, 1526);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(3000, to: new MacAddress(0x0200_0000_0077)));
        guest.WaitForWaitingFrame();

        guest.Command(0, 0, 0).Should().Be(0, "promiscuous mode can be switched off");
        guest.PostMany(0, 4, 1526);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60, 2));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(60, 2)[12..]);
        guest.Received.Dropped(DropReason.Filtered).Should().Be(1);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(13)]
    public void Receive_Runt_IsDropped(int length)
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 4, 2048);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(length), NetGuest.Frame(60, 2));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(60, 2)[12..]);
        guest.Received.Dropped(DropReason.Runt).Should().Be(1);
    }

    [Fact]
    public void Receive_NoBuffers_LeavesFramesInTheBackend()
    {
        using NetGuest guest = NetGuest.Started();
        guest.Backend.Queues[0].Inject([.. Enumerable.Range(0, 20).Select(i => NetGuest.Frame(100, i))]);
        NetGuest.WaitFor(() => guest.Received.Waits > 0, "the queue waits for buffers");
        guest.Backend.Queues[0].Waiting.Should().Be(20);

        for (int i = 0; i < 20; i++)
        {
            guest.PostMany(0, 1, 2048);
            guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(100, i)[12..]);
        }

        guest.Received.TotalDropped.Should().Be(0);
    }

    [Fact]
    public void Receive_FrameSpillsOverTheBuffers_WaitsForMore()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 2, 1000);
        byte[] frame = NetGuest.Frame(5000);

        guest.Backend.Queues[0].Inject(frame, NetGuest.Frame(100, 2));
        guest.WaitForWaitingFrame(behind: 1);
        guest.Driver.Queues[0].UsedIndex.Should().Be(0, "no part of it is shown");
        guest.PostMany(0, 2, 1000);
        guest.PostMany(0, 4, 1000);

        guest.TakeFrame()[12..].Should().Equal(frame[12..]);
        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(100, 2)[12..]);
        guest.Received.TotalDropped.Should().Be(0);
    }

    [Fact]
    public void Receive_EnoughBuffers_ReadsStraightIntoThem()
    {
        using NetGuest guest = NetGuest.Started();
        guest.Backend.Queues[0].MaxFrameSize = 1526;
        guest.PostMany(0, 4, 763);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(1514));

        guest.TakeFrame().Length.Should().Be(1526);
        guest.Backend.Queues[0].LastTargetStart.Should().Equal(763, 763);
    }

    [Fact]
    public void Header_WithinWhatWasNegotiated_IsPassedOn()
    {
        using NetGuest guest = NetGuest.Started(Checksums);
        guest.PostMany(0, 20, 4096);
        byte[][] headers =
        [
            [1, 0, 0, 0, 0, 0, 34, 0, 16, 0, 0, 0],
            [2, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0],
            [1, 1, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0],
            [1, 0x81, 54, 0, 0xa8, 5, 34, 0, 16, 0, 0, 0],
            [1, 5, 42, 0, 0xa8, 5, 34, 0, 6, 0, 0, 0],
        ];
        foreach (byte[] header in headers)
        {
            guest.Backend.Queues[0].Inject([.. header, .. NetGuest.Frame(100)[12..]]);

            guest.TakeFrame()[..12].Should().Equal([.. header[..10], 1, 0]);
        }
    }

    [Theory]
    [InlineData(NetGuest.Mergeable, 1, 0)]
    [InlineData(NetGuest.Mergeable, 0, 1)]
    [InlineData(Checksums, 1, 4)]
    [InlineData(Checksums, 1, 3)]
    [InlineData(Checksums & ~VirtioNetFeatures.GuestEcn, 1, 0x81)]
    [InlineData(Checksums & ~VirtioNetFeatures.GuestUso6, 1, 5)]
    [InlineData(Checksums, 1, 0x42)]
    public void Header_NotNegotiated_IsDropped(ulong features, byte flags, byte type)
    {
        using NetGuest guest = NetGuest.Started(features);
        guest.PostMany(0, 4, 2048);
        byte[] frame = NetGuest.Frame(100);
        frame[0] = flags;
        frame[1] = type;

        guest.Backend.Queues[0].Inject(frame, NetGuest.Frame(60, 2));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(60, 2)[12..]);
        guest.Received.Dropped(DropReason.Offload).Should().Be(1);
    }

    [Fact]
    public void Header_DataValidWithoutGuestChecksum_IsCleared()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 4, 2048);
        byte[] frame = NetGuest.Frame(100);
        frame[0] = 2;

        guest.Backend.Queues[0].Inject(frame);

        guest.TakeFrame()[0].Should().Be(0);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void Receive_IndexesWrapAround_NothingIsLost(bool eventIndex)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable | (eventIndex ? VirtioFeatures.RingEventIndex : 0));
        DriverQueue queue = guest.Driver.Queues[0];
        ulong buffer = guest.Allocate(2048);
        const int count = 70_000;
        byte[] frame = NetGuest.Frame(60);
        int injected = 0;
        int used = 0;
        while (used < count)
        {
            while (queue.FreeDescriptors > 0)
            {
                queue.Add([DriverBuffer.Writable(buffer, 2048)]);
            }

            guest.Driver.Notify(0);
            for (; injected < count && injected < used + 1000; injected++)
            {
                guest.Backend.Queues[0].Inject(frame);
            }

            guest.Driver.WaitForUsed(0, out _, out uint written).Should().BeTrue();
            written.Should().Be(72);
            used++;
            while (queue.TryGetUsed(out _, out _))
            {
                used++;
            }
        }

        guest.Received.Frames.Should().Be(count);
        guest.Received.TotalDropped.Should().Be(0);
    }

    [Fact]
    public void Receive_BackendFails_StopsReadingAndStillTransmits()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 4, 2048);
        guest.Backend.Queues[0].ReceiveError = -77;
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60));

        NetGuest.WaitFor(() => guest.Received.Errors > 0, "the failure is counted");
        guest.Send(NetGuest.Frame(60));
        guest.TakeSent().Length.Should().Be(72);

        guest.Backend.Queues[0].ReceiveError = 0;
        guest.Start(NetGuest.Mergeable);
        guest.PostMany(0, 4, 2048);
        guest.TakeFrame().Length.Should().Be(72, "a reset tries again");
    }
}
