using Iced.Intel;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests.Move;

/// <summary>The guest's clocks neither jump nor stop.</summary>
public class ClockMoveTests
{
    private const ulong Counter = 0x20_0000;
    private const ulong StepsBack = 0x20_0004;
    private const ulong Last = 0x20_0008;
    private const uint KVM_CLOCK_HOST_TSC = 8;

    [Fact]
    public void Tsc_MovedTenTimes_NeverStepsBackAndIsTheHostsPlusTheSameOffset()
    {
        var machine = new GuestMachine();
        machine.Start64(ReadTscForever);
        machine.WaitForCounter(Counter, 10);
        machine.Vm.Pause();
        KvmMachineState first = Saved(machine);
        machine.Vm.Resume();
        for (int i = 0; i < 10; i++)
        {
            GuestMachine next = MachineMove.Move(machine);
            machine.Vm.Dispose();
            machine = next;
            machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 10);
        }

        machine.Vm.Pause();
        KvmMachineState last = Saved(machine);

        machine.Get<uint>(StepsBack).Should().Be(0);
        if (first.Vcpus[0].HasTscOffset)
        {
            last.Vcpus[0].TscOffset.Should().Be(first.Vcpus[0].TscOffset);
        }

        if ((first.Vm.Clock.flags & last.Vm.Clock.flags & KVM_CLOCK_HOST_TSC) != 0)
        {
            ulong offset = last.Vcpus[0].TscOffset;
            machine.Get<ulong>(Last).Should().BeInRange(first.Vm.Clock.host_tsc + offset, last.Vm.Clock.host_tsc + offset);
        }

        machine.Dispose();
    }

    [Fact]
    public void KvmClock_MovedWithALongPause_HasGoneOnAsTheTscHas()
    {
        using var source = new GuestMachine();
        source.Start64(ReadTscForever);
        source.WaitForCounter(Counter, 10);
        source.Vm.Pause();
        kvm_clock_data before = Saved(source).Vm.Clock;
        if ((before.flags & KVM_CLOCK_HOST_TSC) == 0)
        {
            Assert.Skip("needs a host with a stable TSC (KVM_CLOCK_HOST_TSC)");
        }

        using GuestMachine destination = MachineMove.Prepare(source);
        byte[] state = MachineMove.Save(source);
        Thread.Sleep(30);
        MachineMove.Load(destination, state);
        KvmMachineState saved = Saved(destination);
        kvm_clock_data after = saved.Vm.Clock;

        double ticks = after.host_tsc - before.host_tsc;
        double byTsc = ticks * 1e6 / saved.Vcpus[0].TscKilohertz;
        double byClock = after.clock - before.clock;
        byTsc.Should().BeGreaterThan(30e6, "it slept for 30 ms");
        // 500 parts in a million is as far as NTP lets the wall clock run from the TSC.
        byClock.Should().BeApproximately(byTsc, byTsc * 500e-6 + 20_000);
        destination.Vm.Resume();
        destination.WaitForCounter(Counter, destination.Get<uint>(Counter) + 10);
    }

    private static KvmMachineState Saved(GuestMachine machine)
    {
        KvmMachineState state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);
        return state;
    }

    private static void ReadTscForever(Assembler c)
    {
        Label again = c.CreateLabel();
        Label good = c.CreateLabel();
        c.xor(r8d, r8d);
        c.Label(ref again);
        c.rdtsc();
        c.shl(rdx, 32);
        c.or(rax, rdx);
        c.cmp(rax, r8);
        c.jae(good);
        c.inc(__dword_ptr[StepsBack]);
        c.Label(ref good);
        c.mov(r8, rax);
        c.mov(__qword_ptr[Last], rax);
        c.inc(__dword_ptr[Counter]);
        c.jmp(again);
    }
}
