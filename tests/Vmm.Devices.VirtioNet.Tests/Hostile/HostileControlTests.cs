using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests.Hostile;

/// <summary>Control commands that are malformed: an error, and nothing changes.</summary>
public sealed class HostileControlTests
{
    private static readonly Dictionary<string, byte[]> Attacks = new()
    {
        ["class only"] = [0],
        ["class that does not exist"] = [6, 0, 0],
        ["class 255"] = [0xff, 0xff, 0xff],
        ["receive mode without a value"] = [0, 0],
        ["receive mode with two values"] = [0, 0, 1, 1],
        ["receive mode that is neither on nor off"] = [0, 0, 2],
        ["receive mode that does not exist"] = [0, 6, 1],
        ["receive mode 255"] = [0, 255, 1],
        ["MAC class, unknown command"] = [1, 2, 0, 0, 0, 0, 0, 0],
        ["MAC address too short"] = [1, 1, 2, 0, 0, 0, 0],
        ["MAC address too long"] = [1, 1, 2, 0, 0, 0, 0, 1, 0],
        ["MAC address of a group"] = [1, 1, 1, 0, 0, 0, 0, 1],
        ["MAC table without a count"] = [1, 0],
        ["MAC table with half a count"] = [1, 0, 0, 0],
        ["MAC table without the second table"] = [1, 0, 0, 0, 0, 0],
        ["MAC table with half the second count"] = [1, 0, 0, 0, 0, 0, 0, 0],
        ["MAC table shorter than its count"] = [1, 0, 2, 0, 0, 0, 2, 0, 0, 0, 0, 1],
        ["MAC table with bytes left over"] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 9],
        ["MAC table of 2^32 - 1 addresses"] = [1, 0, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0],
        ["MAC table whose size is 0 modulo 2^32"] = [1, 0, 0, 0, 0, 0x80, 0, 0, 0, 0],
        ["MAC table whose size is 4 modulo 2^32"] = [1, 0, 0x56, 0x55, 0x55, 0x55, 1, 2, 3, 4, 0, 0, 0, 0],
        ["second MAC table of 2^31 addresses"] = [1, 0, 0, 0, 0, 0, 0, 0, 0, 0x80, 1, 2, 3, 4, 5, 6],
        ["VLAN without a number"] = [2, 0],
        ["VLAN with half a number"] = [2, 0, 1],
        ["VLAN with too much"] = [2, 0, 1, 0, 0],
        ["VLAN 4096"] = [2, 0, 0, 0x10],
        ["VLAN 65535"] = [2, 0, 0xff, 0xff],
        ["VLAN 4096 removed"] = [2, 1, 0, 0x10],
        ["VLAN class, unknown command"] = [2, 2, 1, 0],
        ["announcement acknowledged that was not asked for"] = [3, 0],
        ["announce class, unknown command"] = [3, 1],
        ["queue pairs without MQ"] = [4, 0, 1, 0],
        ["queue pairs, unknown command"] = [4, 1, 1, 0],
        ["RSS, which is not there"] = [4, 1, .. new byte[64]],
        ["offloads without their feature"] = [5, 0, 0, 0, 0, 0, 0, 0, 0, 0],
        ["offloads too short"] = [5, 0, 0, 0, 0, 0],
        ["offloads, unknown command"] = [5, 1, 0, 0, 0, 0, 0, 0, 0, 0],
        ["a thousand bytes of nothing"] = new byte[1000],
        ["a page of ones"] = [.. Enumerable.Repeat((byte)0xff, 4096)],
    };

    public static TheoryData<string> Names => [.. Attacks.Keys];

    [Theory]
    [MemberData(nameof(Names))]
    public void Command_Malformed_IsAnErrorAndChangesNothing(string attack)
    {
        using HostileGuest hostile = new();
        byte[] command = Attacks[attack];
        byte[] before = hostile.Driver.ReadConfig(0, 24);
        ulong acknowledgement = hostile.Buffers + 0x2000;
        hostile.Driver.Memory.Write(new(hostile.Buffers), command);
        hostile.Driver.Memory.Write(new(acknowledgement), [0xee]);

        hostile.Driver.Queues[2].Add([DriverBuffer.Readable(hostile.Buffers, (uint)command.Length), DriverBuffer.Writable(acknowledgement, 1)]);
        hostile.Driver.Notify(2);

        hostile.Driver.WaitForUsed(2, out _, out uint written).Should().BeTrue();
        written.Should().Be(1);
        hostile.Driver.Memory.TryRead(new(acknowledgement), out byte result);
        result.Should().Be(1, "VIRTIO_NET_ERR");
        hostile.Driver.ReadConfig(0, 24).Should().Equal(before);
        hostile.Guest.Device.Metrics.Control.Errors.Should().Be(1);
        hostile.Guest.ShouldCarryTraffic();
        hostile.ShouldRecover();
    }

    [Fact]
    public void Command_MacTableMissesItsEnd_KeepsTheOldTable()
    {
        using HostileGuest hostile = new();
        NetGuest guest = hostile.Guest;
        guest.Command(0, 0, 0).Should().Be(0);
        guest.Command(1, 0, 1, 0, 0, 0, 2, 0, 0, 0, 0, 1, 0, 0, 0, 0).Should().Be(0);

        guest.Command(1, 0, 0, 0, 0, 0, 1, 0, 0, 0).Should().Be(1);

        guest.PostMany(0, 2, 2048);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60, to: new(0x0200_0000_0001)));
        guest.TakeFrame().Length.Should().Be(72);
    }

    [Fact]
    public void Command_OnlyAnAcknowledgementBuffer_IsAnError()
    {
        using HostileGuest hostile = new();
        hostile.Driver.Queues[2].Add([DriverBuffer.Writable(hostile.Buffers, 8)]);
        hostile.Driver.Notify(2);

        hostile.Driver.WaitForUsed(2, out _, out _).Should().BeTrue();
        hostile.Driver.Memory.TryRead(new(hostile.Buffers), out byte result);
        result.Should().Be(1);
        hostile.ShouldRecover();
    }

    [Fact]
    public void Command_ReadableBufferOfAllRam_IsAnError()
    {
        using HostileGuest hostile = new();
        hostile.Driver.Queues[2].Add([DriverBuffer.Readable(0, (uint)hostile.MemorySize), DriverBuffer.Writable(hostile.Buffers, 1)]);
        hostile.Driver.Notify(2);

        hostile.Driver.WaitForUsed(2, out _, out _).Should().BeTrue();
        hostile.Driver.Memory.TryRead(new(hostile.Buffers), out byte result);
        result.Should().Be(1);
        hostile.ShouldRecover();
    }

    [Fact]
    public void Command_AcknowledgementOverTheCommand_HurtsOnlyTheGuest()
    {
        using HostileGuest hostile = new();
        for (int i = 0; i < 20; i++)
        {
            hostile.Driver.Memory.Write(new(hostile.Buffers), [0, 0, 1]);
            hostile.Driver.Queues[2].Add([DriverBuffer.Readable(hostile.Buffers, 3), DriverBuffer.Writable(hostile.Buffers, 1)]);
            hostile.Driver.Notify(2);
            hostile.Driver.WaitForUsed(2, out _, out _).Should().BeTrue();
        }

        hostile.ShouldRecover();
    }
}
