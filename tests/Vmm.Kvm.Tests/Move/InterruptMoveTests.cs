using Vmm.Core.Interrupts;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Kvm.Tests.Guests.InterruptGuest;

namespace Vmm.Kvm.Tests.Move;

/// <summary>Interrupts under way when the guest is moved are delivered once.</summary>
public class InterruptMoveTests
{
    private const int Pin = 5;
    private const ulong Go = 0x20_0010;
    private const ulong Entered = 0x20_0014;

    [Fact]
    public void Edge_PendingWhileTheGuestHasInterruptsOff_IsDeliveredOnce()
    {
        using GuestMachine source = StartDeaf(level: false);
        Pulse(source);

        using GuestMachine destination = MachineMove.Move(source);

        destination.Get<uint>(Count).Should().Be(0, "the guest has its interrupts off");
        destination.Put(Go, 1u);
        destination.WaitForCounter(Count, 0);
        ExpectCount(destination, 1);
    }

    [Fact]
    public void Level_RaisedWhileTheGuestHasInterruptsOff_IsDeliveredAndCanBeLoweredByTheDestination()
    {
        using GuestMachine source = StartDeaf(level: true);
        source.Vm.GetInterruptLine(new Gsi(Pin)).SetLevel(true);

        using GuestMachine destination = MachineMove.Prepare(source);
        destination.Ports.Add(AcknowledgePort, 1, new TestDevice { OnWrite = (_, _) => destination.Vm.GetInterruptLine(new Gsi(Pin)).SetLevel(false) });
        MachineMove.Carry(source, destination);
        destination.Vm.Resume();

        destination.Put(Go, 1u);
        destination.WaitForCounter(Count, 0);
        ExpectQuiet(destination);
    }

    [Fact]
    public void Edge_BetweenPauseAndSave_IsDeliveredOnce()
    {
        using var source = new GuestMachine();
        InterruptGuest.Start(source, Pin, level: false);
        source.Vm.Pause();
        Pulse(source);

        using GuestMachine destination = MachineMove.Move(source);

        destination.WaitForCounter(Count, 0);
        ExpectCount(destination, 1);
    }

    [Fact]
    public void Edge_DuringTheHandlerOfAnother_IsDeliveredAfterIt()
    {
        using var source = new GuestMachine();
        Prepare(source, c =>
        {
            c.mov(__dword_ptr[Entered], 1);
            WaitFor(c, Go);
            c.inc(__dword_ptr[Count]);
            Return(c);
        });
        source.Start64(c =>
        {
            Begin(c);
            Route(c, Pin, level: false);
            c.mov(__dword_ptr[Ready], 1);
            Idle(c);
        });
        source.WaitForCounter(Ready, 0);
        Pulse(source);
        source.WaitForCounter(Entered, 0);
        Pulse(source);

        using GuestMachine destination = MachineMove.Move(source);

        destination.Put(Go, 1u);
        destination.WaitForCounter(Count, 1);
        ExpectCount(destination, 2);
    }

    [Fact]
    public void HaltedCpu_Moved_IsWokenByItsNextInterrupt()
    {
        using var source = new GuestMachine();
        InterruptGuest.Start(source, Pin, level: false);

        using GuestMachine destination = MachineMove.Move(source);
        ExpectCount(destination, 0);
        Pulse(destination);

        destination.WaitForCounter(Count, 0);
        ExpectCount(destination, 1);
    }

    [Fact]
    public void Edges_SentWhileTheGuestIsMovedAgainAndAgain_AreNeitherLostNorDoubled()
    {
        const int Rounds = 20;
        var machine = new GuestMachine();
        InterruptGuest.Start(machine, Pin, level: false);
        for (uint i = 0; i < Rounds; i++)
        {
            // Sometimes the handler is through before the move, sometimes it is not.
            Pulse(machine);
            GuestMachine next = MachineMove.Move(machine);
            machine.Vm.Dispose();
            machine = next;
            machine.WaitForCounter(Count, i);
        }

        ExpectCount(machine, Rounds);
        machine.Dispose();
    }

    /// <summary>A guest with its interrupts off until it is told to go.</summary>
    private static GuestMachine StartDeaf(bool level)
    {
        var machine = new GuestMachine();
        Prepare(machine, c =>
        {
            c.inc(__dword_ptr[Count]);
            c.mov(edx, AcknowledgePort);
            c.@out(dx, al);
            Return(c);
        });
        machine.Start64(c =>
        {
            Begin(c);
            Route(c, Pin, level);
            c.mov(__dword_ptr[Ready], 1);
            WaitFor(c, Go);
            Idle(c);
        });
        machine.WaitForCounter(Ready, 0);
        return machine;
    }

    private static void Pulse(GuestMachine machine)
    {
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(Pin));
        line.SetLevel(true);
        line.SetLevel(false);
    }

    private static void ExpectCount(GuestMachine machine, uint expected)
    {
        Thread.Sleep(30);
        machine.Get<uint>(Count).Should().Be(expected);
        machine.Lifetime.HasEnded.Should().BeFalse();
    }
}
