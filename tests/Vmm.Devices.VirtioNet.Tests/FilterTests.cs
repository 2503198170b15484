using System.Buffers.Binary;
using Vmm.Core.Network;
using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class FilterTests
{
    private static readonly MacAddress Other = new(0x0200_0000_0001);
    private static readonly MacAddress Group = new(0x3333_0000_0001);

    [Fact]
    public void Filter_BeforeTheDriverSaysAnything_TakesAll()
    {
        using NetGuest guest = Listening(NetGuest.Control);

        Arrives(guest, Other, Group, MacAddress.Broadcast, NetGuest.Mac).Should().Equal(true, true, true, true);
    }

    [Fact]
    public void Filter_NotPromiscuous_TakesOwnAndBroadcast()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);

        Arrives(guest, Other, Group, MacAddress.Broadcast, NetGuest.Mac).Should().Equal(false, false, true, true);
        guest.Received.Dropped(DropReason.Filtered).Should().Be(2);
    }

    [Theory]
    [InlineData(1, false, true, true, true)]
    [InlineData(2, true, false, true, true)]
    [InlineData(4, false, false, true, false)]
    [InlineData(5, false, false, false, true)]
    public void Filter_Mode_ChangesWhatItNames(byte command, bool other, bool group, bool broadcast, bool own)
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(0, command, 1).Should().Be(0);

        Arrives(guest, Other, Group, MacAddress.Broadcast, NetGuest.Mac).Should().Equal(other, group, broadcast, own);
    }

    [Fact]
    public void Filter_NoMulticast_BeatsAllMulticastButNotPromiscuous()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(0, 1, 1).Should().Be(0);
        guest.Command(0, 3, 1).Should().Be(0);

        Arrives(guest, Group, MacAddress.Broadcast).Should().Equal(false, true);

        guest.Command(0, 0, 1).Should().Be(0);
        Arrives(guest, Group).Should().Equal(true);
    }

    [Fact]
    public void Filter_Tables_LetTheirAddressesIn()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(1, 0, Tables([Other, new(0x0200_0000_0002)], [Group])).Should().Be(0);

        Arrives(guest, Other, new(0x0200_0000_0002), new(0x0200_0000_0003), Group, new(0x3333_0000_0002)).Should().Equal(true, true, false, true, false);

        guest.Command(1, 0, Tables([], [])).Should().Be(0);
        Arrives(guest, Other, Group).Should().Equal(false, false);
    }

    [Fact]
    public void Filter_TableAtCapacity_IsStillExact()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(1, 0, Tables([.. Many(0x0200_0000_0100, 64)], [.. Many(0x3333_0000_0100, 64)])).Should().Be(0);

        Arrives(guest, new(0x0200_0000_013f), new(0x0200_0000_0140), new(0x3333_0000_013f), new(0x3333_0000_0140)).Should().Equal(true, false, true, false);
    }

    [Fact]
    public void Filter_UnicastTableOverflows_TakesAllUnicastOnly()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(1, 0, Tables([.. Many(0x0200_0000_0100, 65)], [])).Should().Be(0);

        Arrives(guest, Other, Group).Should().Equal(true, false);
    }

    [Fact]
    public void Filter_MulticastTableOverflows_TakesAllMulticastOnly()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(1, 0, Tables([], [.. Many(0x3333_0000_0100, 200)])).Should().Be(0);

        Arrives(guest, Other, Group).Should().Equal(false, true);
    }

    [Fact]
    public void Filter_Vlans_LetInWhatWasAdded()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(2, 0, 5, 0).Should().Be(0);
        guest.Command(2, 0, 0xff, 0x0f).Should().Be(0);

        ArrivesTagged(guest, 5, 6, 4095, 0).Should().Equal(true, false, true, false);
        Arrives(guest, NetGuest.Mac).Should().Equal(true);

        guest.Command(2, 1, 5, 0).Should().Be(0);
        ArrivesTagged(guest, 5, 4095).Should().Equal(false, true);
    }

    [Fact]
    public void Filter_VlanWithPriorityBits_GoesByTheIdentifier()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(2, 0, 5, 0).Should().Be(0);

        ArrivesTagged(guest, 0xe005, 0x1006).Should().Equal(true, false);
    }

    [Fact]
    public void Filter_VlansWhilePromiscuous_TakesAll()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(2, 0, 5, 0).Should().Be(0);

        ArrivesTagged(guest, 5, 6).Should().Equal(true, true);
    }

    [Fact]
    public void Filter_WithoutVlanFeature_TakesAnyTag()
    {
        using NetGuest guest = Listening(NetGuest.Control & ~VirtioNetFeatures.ControlVlan);
        guest.Command(0, 0, 0).Should().Be(0);

        ArrivesTagged(guest, 5, 6).Should().Equal(true, true);
    }

    [Fact]
    public void Filter_AfterReset_TakesAllAgain()
    {
        using NetGuest guest = Listening(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(0, 4, 1).Should().Be(0);

        guest.Start(NetGuest.Control);
        guest.PostMany(0, 64, 2048);

        Arrives(guest, Other, Group).Should().Equal(true, true);
    }

    [Fact]
    public void Filter_DroppedFrame_LeavesItsBuffersForTheNext()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        guest.Command(0, 0, 0).Should().Be(0);
        guest.PostMany(0, 1, 2048);

        guest.Backend.Queues[0].Inject(NetGuest.Frame(100, to: Other), NetGuest.Frame(64, 3));

        guest.TakeFrame()[12..].Should().Equal(NetGuest.Frame(64, 3)[12..]);
    }

    private static NetGuest Listening(ulong features)
    {
        NetGuest guest = NetGuest.Started(features);
        guest.PostMany(0, 64, 2048);
        return guest;
    }

    /// <summary>Which of the addresses' frames come through.</summary>
    private static bool[] Arrives(NetGuest guest, params MacAddress[] targets)
        => Arrives(guest, [.. targets.Select((to, i) => NetGuest.Frame(64, i + 1, to))]);

    private static bool[] ArrivesTagged(NetGuest guest, params ushort[] tags)
        => Arrives(guest, [.. tags.Select((tag, i) => NetGuest.Frame(64, i + 1, vlan: tag))]);

    private static bool[] Arrives(NetGuest guest, byte[][] frames)
    {
        bool[] arrived = new bool[frames.Length];
        for (int i = 0; i < frames.Length; i++)
        {
            long delivered = guest.Received.Frames;
            long all = delivered + guest.Received.TotalDropped;
            guest.Backend.Queues[0].Inject(frames[i]);
            NetGuest.WaitFor(() => guest.Received.Frames + guest.Received.TotalDropped == all + 1, "a frame is delivered or dropped");
            arrived[i] = guest.Received.Frames == delivered + 1;
            if (arrived[i])
            {
                guest.TakeFrame()[12..].Should().Equal(frames[i][12..]);
            }
        }

        return arrived;
    }

    private static IEnumerable<MacAddress> Many(ulong first, int count) => Enumerable.Range(0, count).Select(i => new MacAddress(first + (ulong)i));

    private static byte[] Tables(MacAddress[] unicast, MacAddress[] multicast) => [.. Table(unicast), .. Table(multicast)];

    private static byte[] Table(MacAddress[] addresses)
    {
        byte[] bytes = new byte[4 + 6 * addresses.Length];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, (uint)addresses.Length);
        for (int i = 0; i < addresses.Length; i++)
        {
            addresses[i].CopyTo(bytes.AsSpan(4 + 6 * i));
        }

        return bytes;
    }
}
