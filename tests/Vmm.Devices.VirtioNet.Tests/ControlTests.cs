using System.Buffers.Binary;
using Vmm.Core.Network;
using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class ControlTests
{
    private const ulong Offloads = NetGuest.Control | VirtioNetFeatures.ControlGuestOffloads | VirtioNetFeatures.GuestChecksum
        | VirtioNetFeatures.GuestTso4 | VirtioNetFeatures.GuestTso6 | VirtioNetFeatures.GuestEcn;

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(4)]
    [InlineData(5)]
    public void ReceiveMode_OnAndOff_IsAcknowledged(byte command)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);

        guest.Command(0, command, 1).Should().Be(0);
        guest.Command(0, command, 0).Should().Be(0);
        guest.Device.Metrics.Control.Frames.Should().Be(2);
        guest.Device.Metrics.Control.Errors.Should().Be(0);
    }

    [Fact]
    public void MacAddress_Set_ShowsInConfigurationAndFilter()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);

        guest.Command(1, 1, 0x02, 0, 0, 0, 0, 0x99).Should().Be(0);

        guest.Driver.ReadConfig(0, 6).Should().Equal([0x02, 0, 0, 0, 0, 0x99]);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.PostMany(0, 4, 2048);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60), NetGuest.Frame(61, to: new MacAddress(0x0200_0000_0099)));
        guest.TakeFrame().Length.Should().Be(12 + 61, "the old address is no longer the card's");
    }

    [Fact]
    public void MacAddress_AfterReset_IsTheConfiguredOne()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        guest.Command(1, 1, 0x02, 0, 0, 0, 0, 0x99).Should().Be(0);

        guest.Start(NetGuest.Control);

        guest.Driver.ReadConfig(0, 6).Should().Equal([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
    }

    [Fact]
    public void GuestOffloads_Set_ReachesTheBackend()
    {
        using NetGuest guest = NetGuest.Started(Offloads);
        guest.Backend.Offloads.Should().Be(NetworkOffloads.Checksum | NetworkOffloads.Tso4 | NetworkOffloads.Tso6 | NetworkOffloads.TsoEcn);

        guest.Command(5, 0, Number(VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestTso4)).Should().Be(0);
        guest.Backend.Offloads.Should().Be(NetworkOffloads.Checksum | NetworkOffloads.Tso4);

        guest.Command(5, 0, Number(0)).Should().Be(0);
        guest.Backend.Offloads.Should().Be(NetworkOffloads.None);
    }

    [Theory]
    [InlineData(VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestUfo)]
    [InlineData(VirtioNetFeatures.GuestTso4)]
    [InlineData(VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestEcn)]
    [InlineData(VirtioNetFeatures.MergeableReceiveBuffers)]
    [InlineData(ulong.MaxValue)]
    public void GuestOffloads_NotNegotiatedOrInconsistent_IsRefused(ulong offloads)
    {
        using NetGuest guest = NetGuest.Started(Offloads);
        NetworkOffloads before = guest.Backend.Offloads;

        guest.Command(5, 0, Number(offloads)).Should().Be(1);

        guest.Backend.Offloads.Should().Be(before);
    }

    [Fact]
    public void GuestOffloads_BackendRefuses_IsAnErrorAndKeepsTheOld()
    {
        using NetGuest guest = NetGuest.Started(Offloads);
        guest.Backend.Refuses = true;

        guest.Command(5, 0, Number(0)).Should().Be(1);

        guest.PostMany(0, 4, 2048);
        byte[] frame = NetGuest.Frame(100);
        frame[0] = 1; // NEEDS_CSUM
        guest.Backend.Queues[0].Inject(frame);
        guest.TakeFrame()[0].Should().Be(1, "checksums are still the driver's job");
    }

    [Fact]
    public void Command_AnyLayout_IsUnderstood()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        byte[] command = [1, 1, 0x02, 0, 0, 0, 0, 0x77];
        ulong at = guest.Allocate(64);
        guest.Driver.Memory.Write(new(at), command);
        List<DriverBuffer> chain = [.. Enumerable.Range(0, command.Length).Select(i => DriverBuffer.Readable(at + (ulong)i, 1))];
        chain.Add(DriverBuffer.Writable(at + 32, 1));
        chain.Add(DriverBuffer.Writable(at + 40, 4));
        guest.Driver.Memory.Write(new(at + 32), [0xee]);

        guest.Driver.Queues[2].Add([.. chain]);
        guest.Driver.Notify(2);

        guest.Driver.WaitForUsed(2, out _, out uint written).Should().BeTrue();
        written.Should().Be(1);
        guest.Driver.Memory.TryRead(new(at + 32), out byte result);
        result.Should().Be(0);
        guest.Driver.ReadConfig(5, 1).Should().Equal([0x77]);
    }

    [Theory]
    [InlineData(0, 0, NetGuest.Mergeable | VirtioNetFeatures.ControlQueue)]
    [InlineData(0, 2, NetGuest.Mergeable | VirtioNetFeatures.ControlQueue | VirtioNetFeatures.ControlReceive)]
    public void ReceiveMode_WithoutItsFeature_IsRefused(byte @class, byte command, ulong features)
    {
        using NetGuest guest = NetGuest.Started(features);

        guest.Command(@class, command, 1).Should().Be(1);
    }

    [Theory]
    [InlineData(1, 0, 8)]
    [InlineData(1, 1, 6)]
    [InlineData(2, 0, 2)]
    [InlineData(2, 1, 2)]
    [InlineData(3, 0, 0)]
    [InlineData(4, 0, 2)]
    [InlineData(5, 0, 8)]
    public void Command_WithoutItsFeature_IsRefused(byte @class, byte command, int length)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable | VirtioNetFeatures.ControlQueue);

        guest.Command(@class, command, new byte[length]).Should().Be(1);
    }

    [Fact]
    public void ControlQueue_NotNegotiated_IsNotServed()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable);
        ulong at = guest.Allocate(16);
        guest.Driver.Queues[2].Add([DriverBuffer.Readable(at, 3), DriverBuffer.Writable(at + 8, 1)]);
        guest.Driver.Notify(2);

        guest.ShouldCarryTraffic();
        guest.Driver.Queues[2].UsedIndex.Should().Be(0);
    }

    [Fact]
    public void Commands_ManyAtOnce_AreAllAnsweredInOrder()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        ulong at = guest.Allocate(1024);
        for (int i = 0; i < 32; i++)
        {
            guest.Driver.Memory.Write(new(at + (ulong)(i * 16)), [0, 1, (byte)(i % 3)]);
            guest.Driver.Queues[2].Add([DriverBuffer.Readable(at + (ulong)(i * 16), 3), DriverBuffer.Writable(at + (ulong)(i * 16) + 8, 1)]);
        }

        guest.Driver.Notify(2);

        for (int i = 0; i < 32; i++)
        {
            guest.Driver.WaitForUsed(2, out _, out _).Should().BeTrue();
            guest.Driver.Memory.TryRead(new(at + (ulong)(i * 16) + 8), out byte result);
            result.Should().Be((byte)(i % 3 == 2 ? 1 : 0));
        }
    }

    private static byte[] Number(ulong value)
    {
        byte[] bytes = new byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return bytes;
    }
}
