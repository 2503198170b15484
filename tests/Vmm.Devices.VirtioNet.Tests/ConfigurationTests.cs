using System.Buffers.Binary;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class ConfigurationTests
{
    private const ulong WithStatus = NetGuest.Control | VirtioNetFeatures.Status | VirtioNetFeatures.GuestAnnounce;

    [Fact]
    public void ReadConfig_Whole_IsTheSpecifiedLayout()
    {
        using NetGuest guest = new(new MemoryBackend(3), new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 3, Mtu = 9000, SpeedMbps = 25_000 });

        guest.Driver.ReadConfig(0, 24).Should().Equal(
        [
            0x52, 0x54, 0x00, 0x12, 0x34, 0x56, // mac
            0x01, 0x00, // status: link up
            0x03, 0x00, // max_virtqueue_pairs
            0x28, 0x23, // mtu
            0xa8, 0x61, 0x00, 0x00, // speed
            0x01, // duplex: full
            0, 0, 0, 0, 0, 0, 0,
        ]);
    }

    [Fact]
    public void ReadConfig_UnknownSpeed_IsAllOnes()
    {
        using NetGuest guest = new(config: new VirtioNetConfig("net0", NetGuest.Mac) { SpeedMbps = null });

        guest.Driver.ReadConfig(12, 4).Should().Equal([0xff, 0xff, 0xff, 0xff]);
    }

    [Theory]
    [InlineData(0, 1, new byte[] { 0x52 })]
    [InlineData(3, 2, new byte[] { 0x12, 0x34 })]
    [InlineData(5, 4, new byte[] { 0x56, 1, 0, 1 })]
    [InlineData(16, 4, new byte[] { 1, 0, 0, 0 })]
    [InlineData(17, 2, new byte[] { 0, 0 })]
    [InlineData(250, 8, new byte[] { 0, 0, 0, 0, 0, 0, 0, 0 })]
    public void ReadConfig_AnyOffsetAndWidth_IsBytewise(int offset, int length, byte[] expected)
    {
        using NetGuest guest = new();

        guest.Driver.ReadConfig(offset, length).Should().Equal(expected);
    }

    [Fact]
    public void WriteConfig_OfTheMac_ChangesNothing()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base | VirtioNetFeatures.Mac);

        guest.Driver.Transport.Write((ulong)VirtioMmioRegister.Config, [1, 2, 3, 4, 5, 6]);

        guest.Driver.ReadConfig(0, 6).Should().Equal([0x52, 0x54, 0x00, 0x12, 0x34, 0x56]);
    }

    [Fact]
    public void Offered_MtuOfTheBackend_IsTold()
    {
        using NetGuest guest = new(new MemoryBackend { Mtu = 1280 });

        (guest.Driver.OfferedFeatures & VirtioNetFeatures.Mtu).Should().NotBe(0);
        BinaryPrimitives.ReadUInt16LittleEndian(guest.Driver.ReadConfig(10, 2)).Should().Be(1280);
    }

    [Fact]
    public void SetLink_DownAndUp_TellsTheDriverEachTime()
    {
        using NetGuest guest = NetGuest.Started(WithStatus);
        uint generation = guest.Driver.Read(VirtioMmioRegister.ConfigGeneration);

        guest.Device.SetLink(false);

        guest.Driver.ReadConfig(6, 2).Should().Equal([0, 0]);
        guest.Driver.AcknowledgeInterrupt().Should().Be(2);
        guest.Driver.Read(VirtioMmioRegister.ConfigGeneration).Should().NotBe(generation);

        guest.Device.SetLink(false);
        guest.Driver.Read(VirtioMmioRegister.InterruptStatus).Should().Be(0, "nothing has changed");

        guest.Device.SetLink(true);
        guest.Driver.ReadConfig(6, 2).Should().Equal([1, 0]);
        guest.Driver.AcknowledgeInterrupt().Should().Be(2);
    }

    [Fact]
    public void SetLink_Down_DropsInBothDirectionsUntilUp()
    {
        using NetGuest guest = NetGuest.Started(WithStatus);
        guest.PostMany(0, 4, 2048);
        guest.Device.SetLink(false);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(100));
        guest.Send(NetGuest.Frame(100));

        NetGuest.WaitFor(() => guest.Received.Dropped(DropReason.LinkDown) == 1, "the received frame is dropped");
        NetGuest.WaitFor(() => guest.Transmitted.Dropped(DropReason.LinkDown) == 1, "the sent frame is dropped");
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue();
        guest.Device.SetLink(true);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void SetLink_Reset_KeepsTheCableOut()
    {
        using NetGuest guest = NetGuest.Started(WithStatus);
        guest.Device.SetLink(false);

        guest.Start(WithStatus);

        guest.Driver.ReadConfig(6, 2).Should().Equal([0, 0]);
    }

    [Fact]
    public void SetLink_WithoutStatusFeature_DoesNotInterrupt()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base);

        guest.Device.SetLink(false);

        guest.Driver.Read(VirtioMmioRegister.InterruptStatus).Should().Be(0);
    }

    [Fact]
    public void RequestAnnounce_UntilAcknowledged_StandsInStatus()
    {
        using NetGuest guest = NetGuest.Started(WithStatus);

        guest.Device.RequestAnnounce().Should().BeTrue();

        guest.Driver.AcknowledgeInterrupt().Should().Be(2);
        guest.Driver.ReadConfig(6, 2).Should().Equal([3, 0]);
        guest.Command(3, 0).Should().Be(0);
        guest.Driver.ReadConfig(6, 2).Should().Equal([1, 0]);
        guest.Command(3, 0).Should().Be(1, "there is nothing to acknowledge");
    }

    [Theory]
    [InlineData(NetGuest.Control)]
    [InlineData(NetGuest.Control | VirtioNetFeatures.Status)]
    [InlineData(NetGuest.Control | VirtioNetFeatures.GuestAnnounce)]
    public void RequestAnnounce_DriverDoesNotKnowHow_IsFalse(ulong features)
    {
        using NetGuest guest = NetGuest.Started(features);

        guest.Device.RequestAnnounce().Should().BeFalse();
    }

    [Fact]
    public void RequestAnnounce_NoDriver_IsFalse()
    {
        using NetGuest guest = new();

        guest.Device.RequestAnnounce().Should().BeFalse();
    }
}
