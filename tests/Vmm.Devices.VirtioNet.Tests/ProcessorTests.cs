using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet.Tests.Harness;
using static Vmm.Core.Network.RingDirection;

namespace Vmm.Devices.VirtioNet.Tests;

/// <summary>Rings that the back end runs itself, as vhost does.</summary>
public sealed class ProcessorTests
{
    private const ulong Features = NetGuest.Control | VirtioFeatures.RingEventIndex | VirtioFeatures.RingReset | VirtioNetFeatures.Status;

    [Fact]
    public void Activate_BothRings_RunThere()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);

        (processors[0].Runs(Receive), processors[0].Runs(Transmit), processors[0].Features).Should().Be((true, true, Features));
        Carry(guest, processors[0]);
        guest.Command(0, 0, 1).Should().Be(0, "the control queue stays here");
        (guest.Received.Frames, guest.Transmitted.Frames, guest.Backend.Queues[0].Sent.Count).Should().Be((0, 0, 0));
        guest.Received.Doorbells.Should().Be(0, "nobody here is woken by what the driver rings");
    }

    [Fact]
    public void Start_DoorbellRangBefore_RingsAgain()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        processors[0].Signals(Transmit).Doorbell.TryDrain().Should().BeTrue("the kernel looks at nothing that rang before it had the ring");
    }

    [Fact]
    public void Call_OfEitherRing_InterruptsTheDriverEachTime()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        for (int i = 1; i <= 3; i++)
        {
            processors[0].Signals(i % 2 == 0 ? Receive : Transmit).Call.Signal();
            NetGuest.WaitFor(() => guest.Driver.Read(VirtioMmioRegister.InterruptStatus) == 1, "the signal becomes an interrupt");
            guest.Driver.AcknowledgeInterrupt();
        }

        (guest.Received.Interrupts, guest.Transmitted.Interrupts).Should().Be((1, 2));
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public void Pause_WithFramesMoved_TakesThePositionsBack(bool tells)
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        processors[0].TellsPosition = tells;
        guest.PostMany(0, 8, 2048);
        processors[0].Give(NetGuest.Frame(60));
        processors[0].Give(NetGuest.Frame(60));
        guest.Send(NetGuest.Frame(100));
        processors[0].Take();

        guest.Driver.Transport.Pause();

        Positions(guest, 0).Should().Be((2, 2, false));
        Positions(guest, 1).Should().Be((1, 1, false));
        (processors[0].Runs(Receive), processors[0].Runs(Transmit)).Should().Be((false, false));

        guest.Driver.Transport.Resume();

        processors[0].Starts.Should().Equal(2, 2);
        guest.TakeFrame().Length.Should().Be(72);
        guest.TakeFrame().Length.Should().Be(72);
        Carry(guest, processors[0]);
    }

    [Fact]
    public void Pause_CallJustBefore_IsAnInterruptWhenItReturns()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        for (int i = 0; i < 200; i++)
        {
            guest.Driver.AcknowledgeInterrupt();
            processors[0].Signals(Receive).Call.Signal();
            guest.Driver.Transport.Pause();
            guest.Driver.Read(VirtioMmioRegister.InterruptStatus).Should().Be(1u, "who saves the machine now finds it");
            guest.Driver.Transport.Resume();
        }
    }

    [Fact]
    public void Start_HostRefuses_IsRunHere()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors, start: false);
        processors[0].Refuses = true;
        guest.Start(Features);
        guest.ShouldCarryTraffic();
        guest.Driver.Transport.Pause();
        guest.Driver.Transport.Resume();
        guest.ShouldCarryTraffic();
    }

    [Theory]
    [InlineData(Receive)]
    [InlineData(Transmit)]
    public void Error_OfARing_NeedsReset(RingDirection direction)
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        processors[0].Signals(direction).Error.Signal();

        NetGuest.WaitFor(() => (guest.Driver.Status & VirtioStatus.NeedsReset) != 0, "the driver is told");
        processors[0].Runs(direction).Should().BeFalse();
        guest.Driver.Transport.GetQueue((int)direction).State.Broken.Should().BeTrue();
        guest.Driver.Transport.Pause();
        guest.Driver.Transport.Resume();
        processors[0].Runs(direction).Should().BeFalse("it stays broken");

        guest.Start(Features);
        Carry(guest, processors[0]);
    }

    [Fact]
    public void Error_JustBeforePause_TravelsWithTheRing()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        processors[0].Signals(Transmit).Error.Signal();
        guest.Driver.Transport.Pause();
        guest.Driver.Transport.GetQueue(1).State.Broken.Should().BeTrue();
        (guest.Driver.Status & VirtioStatus.NeedsReset).Should().Be(VirtioStatus.NeedsReset);
    }

    [Fact]
    public void SetLink_Down_DropsHereUntilUp()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        guest.Device.SetLink(false);
        processors[0].Runs(Transmit).Should().BeFalse();

        guest.PostMany(0, 2, 2048);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(60));
        guest.Send(NetGuest.Frame(60));
        guest.Driver.WaitForUsed(1, out _, out _).Should().BeTrue("a frame without a cable is gone");
        NetGuest.WaitFor(() => guest.Received.Dropped(DropReason.LinkDown) == 1, "so is one that comes");
        guest.Transmitted.Dropped(DropReason.LinkDown).Should().Be(1);

        guest.Device.SetLink(true);
        Carry(guest, processors[0]);
        guest.Backend.Queues[0].Sent.Should().BeEmpty();
    }

    [Fact]
    public void SetLink_WhilePaused_StartsNothing()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        guest.Driver.Transport.Pause();
        guest.Device.SetLink(false);
        guest.Device.SetLink(true);
        processors[0].Starts.Should().Equal(1, 1);
    }

    [Fact]
    public void Reset_Device_StopsBothAndForgets()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        guest.Driver.Write(VirtioMmioRegister.Status, 0);
        (processors[0].Runs(Receive), processors[0].Runs(Transmit)).Should().Be((false, false));
        guest.Start(Features);
        Carry(guest, processors[0]);
    }

    [Theory]
    [InlineData(0, Receive)]
    [InlineData(1, Transmit)]
    public void ResetQueue_ThenEnabled_RunsThereAgain(int queue, RingDirection direction)
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors);
        guest.Driver.Write(VirtioMmioRegister.QueueSel, (uint)queue);
        guest.Driver.Write(VirtioMmioRegister.QueueReset, 1);
        (processors[0].Runs(Receive), processors[0].Runs(Transmit)).Should().Be((direction != Receive, direction != Transmit));

        guest.Driver.Queues[queue].Clear();
        guest.Driver.SetUpQueue(queue);
        Carry(guest, processors[0]);
    }

    [Fact]
    public void Pairs_SwitchedByTheControlQueue_StartAndStop()
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors, pairs: 2, features: Features | VirtioNetFeatures.MultiQueue);
        processors[1].Runs(Receive).Should().BeFalse("one pair is active at first");
        guest.Command(4, 0, 2, 0).Should().Be(0);
        Carry(guest, processors[1], 2);

        guest.Send(NetGuest.Frame(60), 3);
        guest.Command(4, 0, 1, 0).Should().Be(0);
        (processors[1].Runs(Receive), processors[1].Runs(Transmit)).Should().Be((false, false));
        guest.TakeSent(1).Should().Equal(NetGuest.Frame(60), "what was made available before is sent");
        Carry(guest, processors[0]);
    }

    [Theory]
    [InlineData(6, 1)]
    [InlineData(0, 0)]
    public void Start_FrameReadHereWaits_IsGivenToTheGuestIfItHasRoom(int buffers, int delivered)
    {
        using NetGuest guest = Make(out MemoryProcessor[] processors, start: false);
        processors[0].Refuses = true;
        guest.Start(Features);
        guest.PostMany(0, 2, 1000);
        guest.Backend.Queues[0].Inject(NetGuest.Frame(5000));
        guest.WaitForWaitingFrame();

        guest.Driver.Transport.Pause();
        processors[0].Refuses = false;
        guest.PostMany(0, buffers, 1000);
        guest.Driver.Transport.Resume();

        processors[0].Runs(Receive).Should().BeTrue();
        (guest.Received.Frames, guest.Received.Dropped(DropReason.Backend)).Should().Be((delivered, 1 - delivered));
        guest.Driver.Queues[0].UsedIndex.Should().Be((ushort)(6 * delivered));
    }

    private static NetGuest Make(out MemoryProcessor[] processors, int pairs = 1, ulong features = Features, bool start = true)
    {
        MemoryBackend backend = new(pairs, hasProcessors: true);
        NetGuest guest = new(backend, new VirtioNetConfig("net0", NetGuest.Mac) { QueuePairs = pairs });
        backend.UseMemory(guest.Driver.Memory);
        processors = [.. backend.Queues.Select(queue => queue.Processor!)];
        if (start)
        {
            guest.Start(features);
        }

        return guest;
    }

    private static void Carry(NetGuest guest, MemoryProcessor processor, int receive = 0)
    {
        byte[] there = NetGuest.Frame(200, seed: 77);
        guest.PostMany(receive, 1, 2048);
        processor.Give(there);
        guest.TakeFrame(receive)[12..].Should().Equal(there[12..]);

        byte[] back = NetGuest.Frame(300, seed: 78);
        guest.Send(back, receive + 1);
        processor.Take().Should().Equal(back);
    }

    private static (ushort NextAvailable, ushort NextUsed, bool Signalled) Positions(NetGuest guest, int queue)
    {
        VirtqueueState state = guest.Driver.Transport.GetQueue(queue).State;
        return (state.NextAvailable, state.NextUsed, state.SignalledUsedValid);
    }
}
