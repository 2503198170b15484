using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class FeatureTests
{
    private const ulong Segmentation = VirtioNetFeatures.HostTso4 | VirtioNetFeatures.HostTso6 | VirtioNetFeatures.HostEcn | VirtioNetFeatures.HostUfo
        | VirtioNetFeatures.HostUso | VirtioNetFeatures.GuestTso4 | VirtioNetFeatures.GuestTso6 | VirtioNetFeatures.GuestEcn | VirtioNetFeatures.GuestUfo
        | VirtioNetFeatures.GuestUso4 | VirtioNetFeatures.GuestUso6;

    private const ulong Checksums = VirtioNetFeatures.Checksum | VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.ControlGuestOffloads;

    /// <summary>Bits, as the specification numbers them: linux/virtio_net.h has the same.</summary>
    public static TheoryData<ulong, int> Bits => new()
    {
        { VirtioNetFeatures.Checksum, 0 },
        { VirtioNetFeatures.GuestChecksum, 1 },
        { VirtioNetFeatures.ControlGuestOffloads, 2 },
        { VirtioNetFeatures.Mtu, 3 },
        { VirtioNetFeatures.Mac, 5 },
        { VirtioNetFeatures.GuestTso4, 7 },
        { VirtioNetFeatures.GuestTso6, 8 },
        { VirtioNetFeatures.GuestEcn, 9 },
        { VirtioNetFeatures.GuestUfo, 10 },
        { VirtioNetFeatures.HostTso4, 11 },
        { VirtioNetFeatures.HostTso6, 12 },
        { VirtioNetFeatures.HostEcn, 13 },
        { VirtioNetFeatures.HostUfo, 14 },
        { VirtioNetFeatures.MergeableReceiveBuffers, 15 },
        { VirtioNetFeatures.Status, 16 },
        { VirtioNetFeatures.ControlQueue, 17 },
        { VirtioNetFeatures.ControlReceive, 18 },
        { VirtioNetFeatures.ControlVlan, 19 },
        { VirtioNetFeatures.ControlReceiveExtra, 20 },
        { VirtioNetFeatures.GuestAnnounce, 21 },
        { VirtioNetFeatures.MultiQueue, 22 },
        { VirtioNetFeatures.ControlMacAddress, 23 },
        { VirtioNetFeatures.GuestUso4, 54 },
        { VirtioNetFeatures.GuestUso6, 55 },
        { VirtioNetFeatures.HostUso, 56 },
        { VirtioNetFeatures.SpeedDuplex, 63 },
    };

    public static TheoryData<ulong> Broken => new()
    {
        VirtioNetFeatures.GuestTso4,
        VirtioNetFeatures.GuestTso6,
        VirtioNetFeatures.GuestUfo,
        VirtioNetFeatures.GuestUso4,
        VirtioNetFeatures.GuestUso6,
        VirtioNetFeatures.GuestEcn | VirtioNetFeatures.GuestChecksum,
        VirtioNetFeatures.HostTso4,
        VirtioNetFeatures.HostTso6,
        VirtioNetFeatures.HostUfo,
        VirtioNetFeatures.HostUso,
        VirtioNetFeatures.HostEcn | VirtioNetFeatures.Checksum,
        VirtioNetFeatures.ControlReceive,
        VirtioNetFeatures.ControlVlan,
        VirtioNetFeatures.GuestAnnounce,
        VirtioNetFeatures.MultiQueue,
        VirtioNetFeatures.ControlMacAddress,
    };

    [Theory]
    [MemberData(nameof(Bits))]
    public void Bit_OfEachFeature_IsTheSpecifications(ulong feature, int bit) => feature.Should().Be(1ul << bit);

    [Fact]
    public void Offered_BackendWithEverything_HasEverything()
    {
        using NetGuest guest = new(new MemoryBackend(2) { Mtu = 1400 }, new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 2 });

        ulong all = 0;
        foreach (ITheoryDataRow row in Bits)
        {
            all |= (ulong)row.GetData()[0]!;
        }

        guest.Driver.OfferedFeatures.Should().Be(all | VirtioFeatures.Transport);
    }

    [Fact]
    public void Offered_BackendWithoutOffloads_HasNone()
    {
        using NetGuest guest = new(new MemoryBackend { SupportedOffloads = NetworkOffloads.None });

        (guest.Driver.OfferedFeatures & (Checksums | Segmentation | VirtioNetFeatures.Mtu | VirtioNetFeatures.MultiQueue)).Should().Be(0);
        (guest.Driver.OfferedFeatures & VirtioNetFeatures.Mac).Should().NotBe(0);
    }

    [Fact]
    public void Offered_SegmentationWithoutChecksum_IsNotOffered()
    {
        using NetGuest guest = new(new MemoryBackend { SupportedOffloads = NetworkOffloads.Tso4 | NetworkOffloads.TsoEcn | NetworkOffloads.Uso4 | NetworkOffloads.Uso6 });

        (guest.Driver.OfferedFeatures & (Checksums | Segmentation)).Should().Be(0);
    }

    [Fact]
    public void Offered_UsoForOneFamily_HasNoHostUso()
    {
        using NetGuest guest = new(new MemoryBackend { SupportedOffloads = NetworkOffloads.Checksum | NetworkOffloads.Uso4 });

        (guest.Driver.OfferedFeatures & (VirtioNetFeatures.HostUso | VirtioNetFeatures.GuestUso4)).Should().Be(VirtioNetFeatures.GuestUso4);
    }

    [Theory]
    [MemberData(nameof(Broken))]
    public void Negotiate_BrokenDependency_IsRefused(ulong features)
    {
        using NetGuest guest = new(new MemoryBackend(2), new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 2 });

        guest.Driver.Negotiate(NetGuest.Base | features).Should().BeFalse();
        guest.Device.RejectFeatures(features).Should().NotBeNullOrEmpty();
    }

    [Fact]
    public void Negotiate_EverythingOffered_IsAcceptedAndWorks()
    {
        using NetGuest guest = new(new MemoryBackend(4), new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = 4 });

        guest.Start(guest.Driver.OfferedFeatures);

        guest.Backend.Offloads.Should().Be(MemoryBackend.AllOffloads);
        guest.Backend.ActiveQueues.Should().Be(1);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void Activate_OneUsoFamily_IsLeftToTheHost()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Base | VirtioNetFeatures.GuestChecksum | VirtioNetFeatures.GuestUso4);

        guest.Backend.Offloads.Should().Be(NetworkOffloads.Checksum, "Linux switches USO for both families or none");
    }

    [Fact]
    public void Activate_BackendRefusesOffloads_StillRuns()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable, new MemoryBackend { Refuses = true });

        guest.ShouldCarryTraffic();
    }

    [Theory]
    [InlineData(0)]
    [InlineData(17)]
    [InlineData(3)]
    public void Construct_QueuePairsThatCannotBe_Throws(int pairs)
    {
        using MemoryBackend backend = new(2);

        Action act = () => _ = new NetGuest(backend, new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = pairs });

        act.Should().Throw<ArgumentException>().WithMessage("net0: *queue pairs*");
    }

    [Theory]
    [InlineData(67)]
    [InlineData(65_536)]
    public void Construct_MtuThatCannotBe_Throws(int mtu)
    {
        using MemoryBackend backend = new();

        Action act = () => _ = new NetGuest(backend, new VirtioNetConfig("net0", NetGuest.Mac) { Mtu = mtu });

        act.Should().Throw<ArgumentException>().WithMessage("net0: an MTU of*");
    }

    [Fact]
    public void Construct_GroupAddress_Throws()
    {
        using MemoryBackend backend = new();

        Action act = () => _ = new NetGuest(backend, new VirtioNetConfig("net0", MacAddress.Broadcast));

        act.Should().Throw<ArgumentException>().WithMessage("*group address*");
    }
}
