using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Kvm.Tests.Guests.InterruptGuest;

namespace Vmm.Kvm.Tests;

public class InterruptTests
{
    private const uint Pin = 5;
    private const ulong MessageAddress = 0xFEE0_0000;

    [Fact]
    public void LevelLine_RaisedAndLowered_InterruptsForEachRaiseAndThenIsQuiet()
    {
        using var machine = new GuestMachine();
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(Pin));
        uint acknowledged = 0;
        machine.Ports.Add(InterruptGuest.AcknowledgePort, 1, new TestDevice
        {
            OnWrite = (_, _) =>
            {
                line.SetLevel(false);
                Volatile.Write(ref acknowledged, acknowledged + 1);
            },
        });
        InterruptGuest.Start(machine, (int)Pin, level: true);

        for (int i = 0; i < 200; i++)
        {
            uint before = Volatile.Read(ref acknowledged);
            line.SetLevel(true);
            SpinWait.SpinUntil(() => Volatile.Read(ref acknowledged) != before, TimeSpan.FromSeconds(30)).Should().BeTrue($"raise {i} interrupts");
        }

        ExpectQuiet(machine);
    }

    [Fact]
    public void LevelLine_ThatStaysRaised_InterruptsAgainAfterEachEoi()
    {
        using var machine = new GuestMachine();
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(Pin));
        int acknowledged = 0;
        machine.Ports.Add(InterruptGuest.AcknowledgePort, 1, new TestDevice { OnWrite = (_, _) => line.SetLevel(++acknowledged < 5) });
        InterruptGuest.Start(machine, (int)Pin, level: true);

        line.SetLevel(true);
        machine.WaitForCounter(InterruptGuest.Count, 4);

        ExpectQuiet(machine);
    }

    [Fact]
    public void LevelLine_SetByManyThreads_EndsWithTheLevelOfTheLastCall()
    {
        using var machine = new GuestMachine();
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(Pin));
        machine.Vm.GetInterruptLine(new Gsi(Pin)).Should().BeSameAs(line);
        machine.Vm.CreateCpus(1);
        var state = machine.Vm.CreateState();
        for (int round = 0; round < 50; round++)
        {
            Parallel.For(0, 4, worker =>
            {
                for (int i = 0; i < 200; i++)
                {
                    line.SetLevel(((i + worker) & 1) == 0);
                }
            });
            bool last = (round & 1) == 0;
            line.SetLevel(last);
            machine.Vm.SaveState(state);
            bool raised = (state.Vm.IoApic.chip.ioapic.irr & (1u << (int)Pin)) != 0;
            raised.Should().Be(last);
        }
    }

    [Fact]
    public void LevelLine_AfterARestore_IsSetAgainWhateverItWasBefore()
    {
        using var machine = new GuestMachine();
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(Pin));
        machine.Vm.CreateCpus(1);
        var low = machine.Vm.CreateState();
        machine.Vm.SaveState(low);
        line.SetLevel(true);
        machine.Vm.RestoreState(low);

        line.SetLevel(true);

        var after = machine.Vm.CreateState();
        machine.Vm.SaveState(after);
        (after.Vm.IoApic.chip.ioapic.irr & (1u << (int)Pin)).Should().NotBe(0);
    }

    [Fact]
    public void Irqfd_OnAnEdgePin_InterruptsPerRing()
    {
        using var machine = new GuestMachine();
        using var trigger = new EventFd();
        var gsi = new Gsi(Pin);
        machine.Vm.AttachInterrupt(trigger, gsi);
        InterruptGuest.Start(machine, (int)Pin, level: false);

        for (uint i = 0; i < 100; i++)
        {
            trigger.Signal();
            machine.WaitForCounter(InterruptGuest.Count, i);
        }

        machine.Vm.DetachInterrupt(trigger, gsi);
        trigger.Signal();
        machine.Vm.Pause();
        machine.Get<uint>(InterruptGuest.Count).Should().Be(100, "a detached eventfd does not interrupt");
    }

    [Fact]
    public void Irqfd_WithResample_IsLoweredByTheGuestsEoiWhichRingsBack()
    {
        using var machine = new GuestMachine();
        using var trigger = new EventFd();
        using var resample = new EventFd();
        machine.Vm.AttachInterrupt(trigger, new Gsi(Pin), resample);
        InterruptGuest.Start(machine, (int)Pin, level: true);

        for (uint i = 0; i < 100; i++)
        {
            trigger.Signal();
            machine.WaitForCounter(InterruptGuest.Count, i);
            SpinWait.SpinUntil(resample.TryDrain, TimeSpan.FromSeconds(30)).Should().BeTrue("the EOI rings the resample eventfd");
        }

        machine.Vm.Pause();
        machine.Get<uint>(InterruptGuest.Count).Should().Be(100);
    }

    [Fact]
    public void Message_SignalledOrRouted_ReachesTheVector()
    {
        using var machine = new GuestMachine();
        using var trigger = new EventFd();
        InterruptGuest.Start(machine, (int)Pin, level: false);

        machine.Vm.SignalMessage(MessageAddress, InterruptGuest.Vector).Should().BeTrue();
        machine.WaitForCounter(InterruptGuest.Count, 0);

        Gsi other = machine.Vm.AddMessageRoute(MessageAddress, 0x99);
        Gsi route = machine.Vm.AddMessageRoute(MessageAddress, 0x98);
        route.Should().Be(new Gsi(25));
        machine.Vm.ChangeMessageRoute(route, MessageAddress, InterruptGuest.Vector);
        machine.Vm.AttachInterrupt(trigger, route);
        trigger.Signal();
        machine.WaitForCounter(InterruptGuest.Count, 1);

        // The pins still lead where they did.
        machine.Vm.GetInterruptLine(new Gsi(Pin)).SetLevel(true);
        machine.WaitForCounter(InterruptGuest.Count, 2);

        machine.Vm.DetachInterrupt(trigger, route);
        machine.Vm.RemoveMessageRoute(route);
        machine.Vm.RemoveMessageRoute(other);
        machine.Vm.Invoking(v => v.RemoveMessageRoute(route)).Should().Throw<ArgumentException>();
    }

    [Fact]
    public void Doorbell_ForAValue_RingsWithoutAnExitAndOnlyForThatValue()
    {
        using var machine = new GuestMachine();
        using var doorbell = new EventFd();
        var seen = new List<uint>();
        machine.Mmio.Add(GuestMachine.MmioAddress, 0x100, new TestDevice { OnWrite = (offset, data) => seen.Add(BitConverter.ToUInt32(data)) });
        var address = new GuestAddress(GuestMachine.MmioAddress + 0x50);
        machine.Vm.AttachDoorbell(address, 3, doorbell);
        machine.Ports.Add(0x600, 1, new TestDevice { OnWrite = (_, _) => machine.Vm.DetachDoorbell(address, 3, doorbell) });
        machine.Start32(c =>
        {
            c.mov(ebx, unchecked((int)address.Value));
            c.mov(__dword_ptr[ebx], 3);
            c.mov(__dword_ptr[ebx], 4);
            c.mov(dx, 0x600);
            c.@out(dx, al);
            c.mov(__dword_ptr[ebx], 3);
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        doorbell.TryDrain().Should().BeTrue();
        doorbell.TryDrain().Should().BeFalse();
        seen.Should().Equal(4u, 3u);
    }
}
