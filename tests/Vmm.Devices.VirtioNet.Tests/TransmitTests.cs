using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class TransmitTests
{
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
}
