using Vmm.Devices.VirtioNet.Tests.Harness;
using Vmm.Testing.Virtio;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class MultiQueueTests
{
    private const ulong MultiQueue = NetGuest.Control | VirtioNetFeatures.MultiQueue;

    [Theory]
    [InlineData(2, false)]
    [InlineData(4, true)]
    [InlineData(16, false)]
    [InlineData(16, true)]
    public void Pairs_AllActive_EachCarriesItsOwnTraffic(int pairs, bool shared)
    {
        using NetGuest guest = Make(pairs, shared);
        guest.Command(4, 0, (byte)pairs, 0).Should().Be(0);
        guest.Backend.ActiveQueues.Should().Be(pairs);

        for (int i = 0; i < pairs; i++)
        {
            guest.ShouldCarryTraffic(2 * i, i);
            guest.Device.Metrics.Receive[i].Frames.Should().Be(1);
            guest.Device.Metrics.Transmit[i].Frames.Should().Be(1);
        }
    }

    [Fact]
    public void Pairs_BeforeTheCommand_OnlyTheFirstIsActive()
    {
        using NetGuest guest = Make(2);
        guest.Backend.ActiveQueues.Should().Be(1);
        guest.PostMany(2, 4, 2048);
        guest.Backend.Queues[1].Inject(NetGuest.Frame(60));
        guest.Send(NetGuest.Frame(60), 3);

        guest.ShouldCarryTraffic();
        guest.Driver.Queues[2].UsedIndex.Should().Be(0);
        guest.Driver.Queues[3].UsedIndex.Should().Be(0);

        guest.Command(4, 0, 2, 0).Should().Be(0);
        guest.TakeFrame(2).Length.Should().Be(72, "what was waiting is served at once");
        guest.TakeSent(1).Length.Should().Be(72);
    }

    [Fact]
    public void Pairs_Reduced_SendsWhatWasQueuedAndGivesBuffersBack()
    {
        using NetGuest guest = Make(2);
        guest.Command(4, 0, 2, 0).Should().Be(0);
        guest.PostMany(2, 4, 2048);
        for (int i = 0; i < 200; i++)
        {
            guest.Driver.Queues[3].Add([DriverBuffer.Readable(guest.Allocate(100), 100)]);
        }

        guest.Command(4, 0, 1, 0).Should().Be(0);

        guest.Backend.ActiveQueues.Should().Be(1);
        guest.Backend.Queues[1].Sent.Count.Should().Be(200);
        guest.Backend.Queues[1].Inject(NetGuest.Frame(60));
        guest.ShouldCarryTraffic();
        guest.Driver.Queues[2].UsedIndex.Should().Be(0);

        guest.Command(4, 0, 2, 0).Should().Be(0);
        guest.TakeFrame(2).Length.Should().Be(72);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(3)]
    [InlineData(0x8000)]
    public void PairsSet_OutOfRange_IsRefused(int count)
    {
        using NetGuest guest = Make(2);

        guest.Command(4, 0, (byte)count, (byte)(count >> 8)).Should().Be(1);

        guest.Backend.ActiveQueues.Should().Be(1);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void PairsSet_BackendRefuses_IsAnErrorAndKeepsTheOld()
    {
        using NetGuest guest = Make(2);
        guest.Command(4, 0, 2, 0).Should().Be(0);
        guest.Backend.Refuses = true;

        guest.Command(4, 0, 1, 0).Should().Be(1);

        guest.ShouldCarryTraffic(2, 1);
    }

    [Fact]
    public void WithoutMultiQueue_ControlQueueIsTheThird()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control, new MemoryBackend(4), Config(4));
        guest.ControlQueue.Should().Be(2);

        guest.Command(0, 0, 1).Should().Be(0);
        guest.Command(4, 0, 2, 0).Should().Be(1);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void AfterReset_OnePairIsActive()
    {
        using NetGuest guest = Make(2);
        guest.Command(4, 0, 2, 0).Should().Be(0);

        guest.Start(MultiQueue);

        guest.Backend.ActiveQueues.Should().Be(1);
        guest.ShouldCarryTraffic();
    }

    private static VirtioNetConfig Config(int pairs, bool shared = false)
        => new("net0", NetGuest.Mac) { QueuePairs = pairs, SharedIoThread = shared, QueueSize = 256 };

    private static NetGuest Make(int pairs, bool shared = false) => NetGuest.Started(MultiQueue, new MemoryBackend(pairs), Config(pairs, shared));
}
