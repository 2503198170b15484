using Iced.Intel;
using Vmm.Kvm.State;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Kvm.Tests.Guests.InterruptGuest;

namespace Vmm.Kvm.Tests.Move;

/// <summary>The LAPIC's timer, armed before the guest is moved, fires after it: once, not early, and not from the start again.</summary>
public unsafe class TimerMoveTests
{
    private const ulong Deadline = 0x20_0020;
    private const ulong FiredAt = 0x20_0028;
    private const ulong TimerVector = 0xFEE0_0320;
    private const ulong InitialCount = 0xFEE0_0380;
    private const ulong DivideConfiguration = 0xFEE0_03E0;
    private const uint IA32_TSC_DEADLINE = 0x6E0;
    private const int OneShot = 0, Periodic = 1 << 17, TscDeadline = 2 << 17;
    private const int InitialCountOffset = 0x380, CurrentCountOffset = 0x390;

    /// <summary>The LAPIC's bus runs at 1 GHz in KVM.</summary>
    private const int PerMillisecond = 1_000_000;

    [Fact]
    public void TscDeadline_ArmedAcrossTheMove_FiresOnceAndNotEarly()
    {
        using GuestMachine source = StartWithDeadline(milliseconds: 200);

        using GuestMachine destination = MachineMove.Move(source);

        destination.WaitForCounter(Count, 0);
        destination.Get<ulong>(FiredAt).Should().BeGreaterThanOrEqualTo(destination.Get<ulong>(Deadline));
        ExpectOne(destination);
    }

    [Fact]
    public void TscDeadline_PassedDuringThePause_FiresOnce()
    {
        using GuestMachine source = StartWithDeadline(milliseconds: 30);
        ExpectOneAfterALongPause(source);
    }

    [Fact]
    public void OneShot_ArmedAcrossTheMove_GoesOnFromWhereItWas()
    {
        using GuestMachine source = StartWithCount(milliseconds: 2000);
        using GuestMachine destination = MachineMove.Prepare(source);
        Thread.Sleep(20);
        source.Vm.Pause();
        (uint _, uint before) = Counts(source);
        MachineMove.Carry(source, destination);

        (uint initial, uint left) = Counts(destination);
        initial.Should().Be(2000 * PerMillisecond);
        left.Should().BeGreaterThan(0).And.BeLessThanOrEqualTo(before);
        destination.Vm.Resume();
        destination.WaitForCounter(Count, 0);
        ExpectOne(destination);
    }

    [Fact]
    public void OneShot_RunOutDuringThePause_FiresOnce()
    {
        using GuestMachine source = StartWithCount(milliseconds: 30);
        ExpectOneAfterALongPause(source);
    }

    [Fact]
    public void OneShot_ThatHasFired_DoesNotFireAgain()
    {
        using GuestMachine source = StartWithCount(milliseconds: 1);
        source.WaitForCounter(Count, 0);

        using GuestMachine destination = MachineMove.Move(source);
        ExpectOne(destination);
        using GuestMachine third = MachineMove.Move(destination);
        ExpectOne(third);
    }

    [Fact]
    public void Periodic_MovedAgainAndAgain_GoesOn()
    {
        GuestMachine machine = Start(Periodic, c => Store(c, InitialCount, 2 * PerMillisecond), 2);
        for (int i = 0; i < 10; i++)
        {
            machine.WaitForCounter(Count, machine.Get<uint>(Count) + 2);
            GuestMachine next = MachineMove.Move(machine);
            machine.Vm.Dispose();
            machine = next;
        }

        machine.WaitForCounter(Count, machine.Get<uint>(Count) + 2);
        machine.Dispose();
    }

    private static GuestMachine StartWithDeadline(int milliseconds) => Start(TscDeadline, c =>
    {
        c.rdtsc();
        c.shl(rdx, 32);
        c.or(rax, rdx);
        c.add(rax, __qword_ptr[Deadline]);
        c.mov(__qword_ptr[Deadline], rax);
        c.mov(rdx, rax);
        c.shr(rdx, 32);
        c.mov(ecx, IA32_TSC_DEADLINE);
        c.wrmsr();
    }, milliseconds);

    private static GuestMachine StartWithCount(int milliseconds)
        => Start(OneShot, c => Store(c, InitialCount, milliseconds * PerMillisecond), milliseconds);

    private static GuestMachine Start(int mode, Action<Assembler> arm, int milliseconds)
    {
        var machine = new GuestMachine();
        Prepare(machine, c =>
        {
            c.rdtsc();
            c.shl(rdx, 32);
            c.or(rax, rdx);
            c.mov(__qword_ptr[FiredAt], rax);
            c.inc(__dword_ptr[Count]);
            Return(c);
        });
        machine.Put(Deadline, (ulong)milliseconds * Kilohertz());
        machine.Start64(c =>
        {
            Begin(c);
            Store(c, DivideConfiguration, 0xB);
            Store(c, TimerVector, mode | Vector);
            arm(c);
            c.mov(__dword_ptr[Ready], 1);
            Idle(c);
        });
        machine.WaitForCounter(Ready, 0);
        return machine;
    }

    private static ulong Kilohertz()
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);
        return machine.Vm.Vm.StateTraits.TscKilohertz;
    }

    private static (uint Initial, uint Current) Counts(GuestMachine machine)
    {
        KvmMachineState state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);
        return Counts(state);
    }

    private static (uint Initial, uint Current) Counts(KvmMachineState state)
    {
        ref Native.kvm_lapic_state lapic = ref state.Vcpus[0].LocalApic;
        fixed (byte* registers = lapic.regs)
        {
            return (*(uint*)(registers + InitialCountOffset), *(uint*)(registers + CurrentCountOffset));
        }
    }

    /// <summary>The timer of 30 ms runs out while nothing runs.</summary>
    private static void ExpectOneAfterALongPause(GuestMachine source)
    {
        source.Vm.Pause();
        Thread.Sleep(60);

        using GuestMachine destination = MachineMove.Move(source);

        destination.WaitForCounter(Count, 0);
        ExpectOne(destination);
    }

    private static void ExpectOne(GuestMachine machine)
    {
        Thread.Sleep(50);
        machine.Get<uint>(Count).Should().Be(1);
    }
}
