using System.Runtime.InteropServices;
using Iced.Intel;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public unsafe class StateTests
{
    private const ulong Counter = 0x20_0000;

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void State_SavedAndRestoredInAFreshMachine_LetsTheGuestGoOn(bool pit)
    {
        using var first = new GuestMachine(options: new KvmOptions(Pit: pit));
        first.Start64(CountForever);
        first.WaitForCounter(Counter, 1000);
        first.Vm.Pause();
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);
        uint atPause = first.Get<uint>(Counter);
        first.Vm.Dispose();

        // The same RAM in another virtual machine.
        using var second = new GuestMachine(options: new KvmOptions(Pit: pit), memory: first.Memory);
        second.Vm.CreateCpus(1);
        second.Vm.RestoreState(state);
        second.Get<uint>(Counter).Should().Be(atPause);
        second.Vm.Resume();

        second.WaitForCounter(Counter, atPause + 1000);
        second.Vm.Pause();
        // The guest writes what it counts in a register: a register that was lost would show as a step back.
        KvmMachineState later = second.Vm.CreateState();
        second.Vm.SaveState(later);
        ((uint)later.Vcpus[0].Registers.r8 - second.Get<uint>(Counter)).Should().BeLessThanOrEqualTo(1);
        later.Vcpus[0].Registers.r9.Should().Be(0x1122334455667788);
    }

    [Fact]
    public void State_MovedThirtyTimesUnderPortInput_LosesAndRepeatsNoElement()
    {
        // The device counts what it hands out and the guest what it gets: an exit that was not completed before the save shows as a gap.
        ushort next = 0;
        void AddDevice(GuestMachine machine)
            => machine.Ports.Add(0x600, 2, new TestDevice { OnRead = (_, data) => BitConverter.TryWriteBytes(data, next++) });
        var machine = new GuestMachine();
        GuestMemory memory = machine.Memory;
        AddDevice(machine);
        machine.Start64(CountFromPort);
        for (int i = 0; i < 30; i++)
        {
            machine.WaitForCounter(Counter, machine.Get<uint>(Counter));
            machine.Vm.Pause();
            KvmMachineState state = machine.Vm.CreateState();
            machine.Vm.SaveState(state);
            machine.Vm.Dispose();
            machine = new GuestMachine(memory: memory);
            AddDevice(machine);
            machine.Vm.CreateCpus(1);
            machine.Vm.RestoreState(state);
            machine.Vm.Resume();
        }

        machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 10);
        machine.Get<uint>(Counter + 4).Should().Be(0, "the guest gets each element once");
        machine.Dispose();
    }

    [Fact]
    public void State_OfAGuestWithFourCpus_RestoresEachOfThem()
    {
        const int Cpus = 4;
        using var first = new GuestMachine();
        first.Start64(CountForever, Cpus);
        first.WaitForCounter(Counter, 100);
        first.Vm.Pause();
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);
        first.Vm.Dispose();

        using var second = new GuestMachine(memory: first.Memory);
        second.Vm.CreateCpus(Cpus);
        second.Vm.RestoreState(state);

        state.Vcpus.Select(v => v.MpState.mp_state).Should().Equal(
            KvmConstants.KVM_MP_STATE_RUNNABLE,
            KvmConstants.KVM_MP_STATE_UNINITIALIZED,
            KvmConstants.KVM_MP_STATE_UNINITIALIZED,
            KvmConstants.KVM_MP_STATE_UNINITIALIZED);
        KvmMachineState again = second.Vm.CreateState();
        second.Vm.SaveState(again);
        again.Vcpus.Select(v => v.MpState.mp_state).Should().Equal(state.Vcpus.Select(v => v.MpState.mp_state));
        second.Vm.Resume();
        second.WaitForCounter(Counter, second.Get<uint>(Counter) + 100);
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void State_RestoredAndSavedAgain_IsTheSame(bool known)
    {
        using var first = new GuestMachine();
        first.Start64(CountForever);
        first.WaitForCounter(Counter, 10);
        first.Vm.Pause();
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);

        // Values that no default has: XMM3, DR0, a syscall MSR, an IOAPIC entry.
        ref KvmVcpuState vcpu = ref state.Vcpus[0];
        new Random(5).NextBytes(vcpu.Xsave.AsSpan(160 + 3 * 16, 16));
        vcpu.Xsave[512] |= 2; // XSTATE_BV: SSE
        vcpu.DebugRegisters.db[0] = 0x1234_5678;
        SetMsr(vcpu.Msrs, 0xC000_0082, 0x0000_1234_5678_9ABC); // LSTAR
        SetMsr(vcpu.Msrs, 0xC000_0102, 0x0000_7FFF_0000_0000); // KERNEL_GS_BASE
        state.Vm.IoApic.chip.ioapic.redirtbl[7] = 0x0300_0000_0001_8045; // masked, level, vector 0x45
        state.Vm.PicMaster.chip.pic.imr = 0xA5;

        using var second = new GuestMachine(memory: first.Memory);
        second.Vm.CreateCpus(1);
        if (known)
        {
            second.Vm.CreateStateSections().Should().HaveCount(2, "what the new vCPU has is read with that, and not set again");
        }

        second.Vm.RestoreState(state);
        KvmMachineState again = second.Vm.CreateState();
        second.Vm.SaveState(again);

        ref KvmVcpuState copy = ref again.Vcpus[0];
        Bytes(copy.Registers).Should().Equal(Bytes(vcpu.Registers));
        Bytes(copy.SpecialRegisters).Should().Equal(Bytes(vcpu.SpecialRegisters));
        Bytes(copy.DebugRegisters).Should().Equal(Bytes(vcpu.DebugRegisters));
        Bytes(copy.ExtendedControlRegisters).Should().Equal(Bytes(vcpu.ExtendedControlRegisters));
        Bytes(copy.LocalApic).Should().Equal(Bytes(vcpu.LocalApic));
        Bytes(copy.Events).Should().Equal(Bytes(vcpu.Events));
        copy.Xsave.Should().Equal(vcpu.Xsave);
        copy.TscOffset.Should().Be(vcpu.TscOffset);
        copy.HasTscOffset.Should().Be(vcpu.HasTscOffset);
        copy.TscKilohertz.Should().Be(vcpu.TscKilohertz);
        Msrs(copy.Msrs).Should().Equal(Msrs(vcpu.Msrs));
        Bytes(again.Vm.IoApic).Should().Equal(Bytes(state.Vm.IoApic));
        Bytes(again.Vm.PicMaster).Should().Equal(Bytes(state.Vm.PicMaster));
        Bytes(again.Vm.PicSlave).Should().Equal(Bytes(state.Vm.PicSlave));
        again.Vm.Clock.clock.Should().BeGreaterThan(state.Vm.Clock.clock, "the guest's clock goes on from where it was");
    }

    [Fact]
    public void State_WithMsrs_LeavesTheTscOutWhenItsOffsetIsCarried()
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);
        KvmMachineState state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);

        bool hasTsc = state.Vcpus[0].Msrs.Entries.ToArray().Any(m => m.index == 0x10);
        hasTsc.Should().Be(!state.Vcpus[0].HasTscOffset);
        state.Vcpus[0].Msrs.Entries.Length.Should().BeGreaterThan(20);
    }

    [Fact]
    public void Save_OfAPausedGuest_IsPureAndAllocatesNothing()
    {
        using var machine = new GuestMachine();
        machine.Start64(CountForever);
        machine.WaitForCounter(Counter, 10);
        machine.Vm.Pause();
        KvmMachineState one = machine.Vm.CreateState();
        KvmMachineState two = machine.Vm.CreateState();
        machine.Vm.SaveState(one);

        long before = GC.GetAllocatedBytesForCurrentThread();
        machine.Vm.SaveState(two);
        long allocated = GC.GetAllocatedBytesForCurrentThread() - before;

        allocated.Should().Be(0);
        Bytes(two.Vcpus[0].Registers).Should().Equal(Bytes(one.Vcpus[0].Registers));
        Bytes(two.Vcpus[0].Events).Should().Equal(Bytes(one.Vcpus[0].Events));
        Msrs(two.Vcpus[0].Msrs).Should().Equal(Msrs(one.Vcpus[0].Msrs));
    }

    [Fact]
    public void State_OfARunningGuest_IsRefused()
    {
        using var machine = new GuestMachine();
        machine.Start64(CountForever);
        KvmMachineState state = machine.Vm.CreateState();

        machine.Invoking(m => m.Vm.SaveState(state)).Should().Throw<InvalidOperationException>().WithMessage("*paused*");
        machine.Invoking(m => m.Vm.RestoreState(state)).Should().Throw<InvalidOperationException>().WithMessage("*paused*");
    }

    [Fact]
    public void State_OfAnotherNumberOfCpus_IsRefused()
    {
        using var two = new GuestMachine();
        two.Vm.CreateCpus(2);
        KvmMachineState state = two.Vm.CreateState();
        using var one = new GuestMachine();
        one.Vm.CreateCpus(1);

        one.Invoking(m => m.Vm.RestoreState(state)).Should().Throw<ArgumentException>().WithMessage("*2 vCPUs*1*");
    }

    [Fact]
    public void Msr_ThatKvmRefuses_IsNamed()
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);
        KvmMachineState state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);
        SetMsr(state.Vcpus[0].Msrs, 0xC000_0082, 0x0123_4567_89AB_CDEF); // LSTAR, not canonical

        machine.Invoking(m => m.Vm.RestoreState(state)).Should().Throw<NotSupportedException>().WithMessage("*0xc0000082*");
    }

    private static void CountForever(Assembler c)
    {
        c.mov(r9, 0x1122334455667788);
        c.xor(r8d, r8d);
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(r8);
        c.mov(__dword_ptr[Counter], r8d);
        c.jmp(again);
    }

    /// <summary>Reads 16-bit numbers from port 0x600; counts them at Counter and those that do not follow their predecessor after it.</summary>
    private static void CountFromPort(Assembler c)
    {
        Label again = c.CreateLabel();
        Label good = c.CreateLabel();
        c.mov(edx, 0x600);
        c.xor(ebx, ebx);
        c.Label(ref again);
        c.@in(ax, dx);
        c.cmp(ax, bx);
        c.je(good);
        c.inc(__dword_ptr[Counter + 4]);
        c.Label(ref good);
        c.mov(ebx, eax);
        c.inc(bx);
        c.inc(__dword_ptr[Counter]);
        c.jmp(again);
    }

    private static void SetMsr(MsrBuffer msrs, uint index, ulong value)
    {
        foreach (ref kvm_msr_entry entry in msrs.Entries)
        {
            if (entry.index == index)
            {
                entry.data = value;
                return;
            }
        }

        Assert.Fail($"MSR 0x{index:x} is not in the list");
    }

    private static byte[] Bytes<T>(T value) where T : unmanaged => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in value)).ToArray();

    private static List<(uint, ulong)> Msrs(MsrBuffer msrs)
    {
        var list = new List<(uint, ulong)>();
        foreach (ref readonly kvm_msr_entry entry in msrs.Entries)
        {
            list.Add((entry.index, entry.data));
        }

        return list;
    }
}
