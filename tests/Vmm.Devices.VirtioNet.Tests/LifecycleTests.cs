using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;

namespace Vmm.Devices.VirtioNet.Tests;

public sealed class LifecycleTests
{
    private const ulong WithReset = NetGuest.Mergeable | VirtioFeatures.RingReset;

    [Fact]
    public void Reset_WithChainsTaken_ForgetsThem()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 2, 1000);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(5000));
        guest.WaitForWaitingFrame();

        guest.Start(NetGuest.Mergeable);

        guest.ShouldCarryTraffic();
        guest.Received.Frames.Should().Be(1, "the frame that waited went with the reset");
    }

    [Fact]
    public void Pause_WithChainsTaken_PutsThemBackIntoTheRing()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 5, 1000);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(2500), NetGuest.Frame(60, 2));
        guest.TakeFrame().Length.Should().Be(2512);
        guest.TakeFrame().Length.Should().Be(72);

        guest.Driver.Transport.Pause();

        VirtqueueState state = guest.Driver.Transport.GetQueue(0).State;
        state.NextAvailable.Should().Be(4);
        state.NextUsed.Should().Be(4, "what was taken was used, and no more");
    }

    [Fact]
    public void Pause_FrameWaitsForBuffers_IsKeptAndDelivered()
    {
        using NetGuest guest = NetGuest.Started();
        guest.PostMany(0, 2, 1000);
        byte[] frame = NetGuest.Frame(5000);
        guest.Backend.Queues[0].Inject(frame);
        guest.WaitForWaitingFrame();

        guest.Driver.Transport.Pause();
        guest.Driver.Transport.GetQueue(0).State.NextAvailable.Should().Be(0);
        guest.PostMany(0, 6, 1000);
        guest.Driver.Transport.Resume();

        guest.TakeFrame()[12..].Should().Equal(frame[12..]);
    }

    [Fact]
    public void Pause_DoorbellsMissed_AreServedAfterResume()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control);
        guest.Driver.Transport.Pause();
        guest.PostMany(0, 4, 2048);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60));
        guest.Send(NetGuest.Frame(100));
        Thread.Sleep(20);
        guest.Driver.Queues[0].UsedIndex.Should().Be(0);
        guest.Driver.Queues[1].UsedIndex.Should().Be(0);

        guest.Driver.Transport.Resume();

        guest.TakeFrame().Length.Should().Be(72);
        guest.TakeSent().Length.Should().Be(112);
        guest.Command(0, 0, 1).Should().Be(0);
    }

    [Fact]
    public void Pause_WhileTransmitWaitsForRoom_GoesOnAfterResume()
    {
        using NetGuest guest = NetGuest.Started();
        guest.Backend.Queues[0].Room = 1;
        guest.Send(NetGuest.Frame(100, 1));
        guest.Send(NetGuest.Frame(100, 2));
        NetGuest.WaitFor(() => guest.Transmitted.Waits > 0, "the second frame waits");

        guest.Driver.Transport.Pause();
        guest.Driver.Transport.GetQueue(1).State.NextAvailable.Should().Be(1);
        guest.Backend.Queues[0].Room = 10;
        guest.Driver.Transport.Resume();

        guest.TakeSent().Should().Equal(NetGuest.Frame(100, 1));
        guest.TakeSent().Should().Equal(NetGuest.Frame(100, 2));
    }

    [Fact]
    public void Pause_BeforeActivation_HoldsUntilResume()
    {
        using NetGuest guest = new();
        guest.Driver.Transport.Pause();
        guest.Start(NetGuest.Mergeable);
        guest.Send(NetGuest.Frame(100));
        Thread.Sleep(20);
        guest.Backend.Queues[0].Sent.Should().BeEmpty();

        guest.Driver.Transport.Resume();

        guest.TakeSent().Length.Should().Be(112);
    }

    [Theory]
    [InlineData(false, false)]
    [InlineData(true, false)]
    [InlineData(false, true)]
    public void PauseResume_AtAnyTimeUnderLoad_LosesAndDoublesNothing(bool eventIndex, bool tightBuffers)
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Mergeable | (eventIndex ? VirtioFeatures.RingEventIndex : 0));
        using Traffic traffic = new(guest, frames: 20_000, receiveBuffer: tightBuffers ? 100u : 2048u);
        Random random = new(7);
        long end = Environment.TickCount64 + 60_000;

        while (!traffic.IsDone && Environment.TickCount64 < end)
        {
            guest.Driver.Transport.Pause();
            Thread.SpinWait(random.Next(2000));
            guest.Driver.Transport.Resume();
            Thread.SpinWait(random.Next(20_000));
        }

        traffic.ShouldBeWhole();
        guest.Received.TotalDropped.Should().Be(0);
        guest.Transmitted.TotalDropped.Should().Be(0);
    }

    [Theory]
    [InlineData(0)]
    [InlineData(1)]
    public void ResetQueue_ThenEnabled_CarriesTrafficAgain(int queue)
    {
        using NetGuest guest = NetGuest.Started(WithReset);
        guest.PostMany(0, 4, 2048);
        guest.Backend.Queues[0].Room = 0;
        guest.Send(NetGuest.Frame(100));
        NetGuest.WaitFor(() => guest.Transmitted.Waits > 0, "a frame waits for room");

        for (int i = 0; i < 3; i++)
        {
            guest.Driver.Write(VirtioMmioRegister.QueueSel, (uint)queue);
            guest.Driver.Write(VirtioMmioRegister.QueueReset, 1);
            guest.Driver.Read(VirtioMmioRegister.QueueReady).Should().Be(0);
            guest.Driver.Queues[queue].Clear();
            guest.Driver.SetUpQueue(queue);
        }

        guest.Backend.Queues[0].Room = int.MaxValue;
        if (queue == 0)
        {
            guest.TakeSent();
            guest.Driver.WaitForUsed(1, out _, out _);
        }

        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void ResetQueue_OfTheControlQueue_AnswersCommandsAgain()
    {
        using NetGuest guest = NetGuest.Started(NetGuest.Control | VirtioFeatures.RingReset);
        guest.Command(0, 0, 0).Should().Be(0);

        guest.Driver.Write(VirtioMmioRegister.QueueSel, 2);
        guest.Driver.Write(VirtioMmioRegister.QueueReset, 1);
        guest.Driver.Queues[2].Clear();
        guest.Driver.SetUpQueue(2);

        guest.Command(0, 0, 1).Should().Be(0);
        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void EnableQueue_AfterDriverOk_IsServed()
    {
        using NetGuest guest = new();
        guest.Start(NetGuest.Mergeable, 0);
        guest.Driver.Queues[1].Clear();

        guest.Driver.SetUpQueue(1);

        guest.ShouldCarryTraffic();
    }

    [Fact]
    public void Interrupts_DriverDoesNotWantThem_AreNotSent()
    {
        using NetGuest guest = NetGuest.Started();
        guest.Driver.Queues[0].SetAvailableFlags(1);
        guest.Driver.Queues[1].SetAvailableFlags(1);

        guest.ShouldCarryTraffic();

        guest.Driver.Line.RisingEdges.Should().Be(0);
        guest.Received.Interrupts.Should().Be(0);
        guest.Driver.Queues[1].SetAvailableFlags(0);
        guest.Send(NetGuest.Frame(60));
        guest.Driver.Line.Wait(TimeSpan.FromSeconds(10)).Should().BeTrue();
        NetGuest.WaitFor(() => guest.Transmitted.Interrupts == 1, "it is counted");
    }

    [Fact]
    public void Dispose_UnderLoad_EndsAllThreads()
    {
        for (int i = 0; i < 10; i++)
        {
            using NetGuest guest = NetGuest.Started(NetGuest.Mergeable, new MemoryBackend(4), new VirtioNetConfig($"gone{i}", NetGuest.Mac) { QueuePairs = 4 });
            guest.PostMany(0, 100, 2048);
            guest.Backend.Queues[0].Inject([.. Enumerable.Range(0, 100).Select(n => NetGuest.Frame(100, n))]);
        }

        // A thread that was joined may take a moment to leave the kernel's list.
        NetGuest.WaitFor(() => !Directory.GetDirectories("/proc/self/task").Any(IsOurs), "all I/O threads end");
    }

    private static bool IsOurs(string task) => ThreadName(task).StartsWith("gone", StringComparison.Ordinal);

    private static string ThreadName(string task)
    {
        try
        {
            return File.ReadAllText(Path.Combine(task, "comm"));
        }
        catch (IOException)
        {
            // It has ended since it was listed.
            return "";
        }
    }
}
