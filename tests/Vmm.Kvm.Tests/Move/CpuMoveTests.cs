using Iced.Intel;
using Vmm.Kvm.State;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;
using static Vmm.Kvm.Tests.Guests.InterruptGuest;

namespace Vmm.Kvm.Tests.Move;

public class CpuMoveTests
{
    private const ulong Counter = 0x20_0000;
    private const ulong Errors = 0x20_0008;
    private const ulong Go = 0x20_0010;
    private const ulong DescriptorsPointer = 0xA00;
    private const ulong SecondCount = 0x3_0100;
    private const ulong InterruptCommandLow = 0xFEE0_0300;
    private const ulong InterruptCommandHigh = 0xFEE0_0310;

    /// <summary>Where a SIPI of this vector starts.</summary>
    private const int StartPage = 0x18;

    [Fact]
    public void SecondCpu_WaitingForItsSipi_StartsAfterTheMove()
    {
        using var source = new GuestMachine();
        source.Load(StartPage << 12, 16, c =>
        {
            Label again = c.CreateLabel();
            c.mov(ax, 0x3000);
            c.mov(ds, ax);
            c.Label(ref again);
            c.inc(__word_ptr[0x100]);
            c.jmp(again);
        });
        source.Start64(c =>
        {
            Begin(c);
            c.mov(__dword_ptr[Ready], 1);
            WaitFor(c, Go);
            Store(c, InterruptCommandHigh, 1 << 24);
            Store(c, InterruptCommandLow, 0x4500); // INIT
            Store(c, InterruptCommandHigh, 1 << 24);
            Store(c, InterruptCommandLow, 0x4600 | StartPage);
            Label again = c.CreateLabel();
            c.Label(ref again);
            c.hlt();
            c.jmp(again);
        }, cpuCount: 2);
        source.WaitForCounter(Ready, 0);

        using GuestMachine destination = MachineMove.Move(source, cpuCount: 2);
        destination.Get<ushort>(SecondCount).Should().Be(0);
        destination.Put(Go, 1u);

        SpinWait.SpinUntil(() => destination.Get<ushort>(SecondCount) > 0, TimeSpan.FromSeconds(30)).Should().BeTrue("the second vCPU should count");
        using GuestMachine third = MachineMove.Move(destination, cpuCount: 2);
        ushort before = third.Get<ushort>(SecondCount);
        SpinWait.SpinUntil(() => third.Get<ushort>(SecondCount) != before, TimeSpan.FromSeconds(30)).Should().BeTrue("it should go on counting");
    }

    [Fact]
    public void VectorRegisters_InRing3_AreMovedAgainAndAgain()
    {
        var machine = new GuestMachine();
        machine.WriteLongModeTables(user: 4);
        machine.Put(DescriptorsPointer, (ushort)(7 * 8 - 1));
        machine.Put(DescriptorsPointer + 2, GuestMachine.DescriptorTable);
        machine.Load(0x12_0000, 64, CheckVectors);
        machine.Load(GuestMachine.CodeAddress, 64, EnterRing3);
        machine.StartLoaded64();
        machine.WaitForCounter(Counter, 100);
        for (int i = 0; i < 10; i++)
        {
            GuestMachine next = MachineMove.Move(machine);
            machine.Vm.Dispose();
            machine = next;
            machine.WaitForCounter(Counter, machine.Get<uint>(Counter) + 1000);
        }

        machine.Get<uint>(Errors).Should().Be(0);
        machine.Vm.Pause();
        KvmMachineState state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);
        (state.Vcpus[0].SpecialRegisters.cs.selector & 3).Should().Be(3, "ring 3 runs");
        machine.Dispose();
    }

    /// <summary>SSE on, then ring 3 at 0x120000.</summary>
    private static void EnterRing3(Assembler c)
    {
        c.lgdt(__[DescriptorsPointer]);
        c.mov(rax, cr4);
        c.or(eax, 0x600); // OSFXSR, OSXMMEXCPT
        c.mov(cr4, rax);
        c.mov(rsp, GuestMachine.StackTop);
        c.push(0x28 | 3);
        c.push((int)GuestMachine.StackTop);
        c.push(2);
        c.push(0x30 | 3);
        c.push(0x12_0000);
        c.iretq();
    }

    /// <summary>Sixteen registers, each its own number in both halves; each is looked at all the time.</summary>
    private static void CheckVectors(Assembler c)
    {
        AssemblerRegisterXMM[] all = [xmm0, xmm1, xmm2, xmm3, xmm4, xmm5, xmm6, xmm7, xmm8, xmm9, xmm10, xmm11, xmm12, xmm13, xmm14, xmm15];
        for (int i = 0; i < all.Length; i++)
        {
            c.mov(rax, Value(i));
            c.movq(all[i], rax);
            c.punpcklqdq(all[i], all[i]);
        }

        Label again = c.CreateLabel();
        c.Label(ref again);
        for (int i = 0; i < all.Length; i++)
        {
            Label good = c.CreateLabel();
            c.mov(rbx, Value(i));
            c.movq(rax, all[i]);
            c.cmp(rax, rbx);
            c.je(good);
            c.inc(__dword_ptr[Errors]);
            c.Label(ref good);
        }

        c.inc(__dword_ptr[Counter]);
        c.jmp(again);
    }

    private static ulong Value(int register) => 0x0123_4567_89AB_CD00 + (ulong)register;
}
