using Iced.Intel;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests.Move;

public class PreparedMachineTests
{
    private const ulong Counter = 0x20_0000;

    [Fact]
    public void Cpus_JustCreated_WaitWithNothingInThem()
    {
        using var machine = new GuestMachine();
        KvmVirtualMachine vm = machine.Vm;

        vm.CreateCpus(3);

        vm.IsPaused.Should().BeTrue();
        vm.CreateStateSections().Select(s => $"{s.Name}{s.Instance}").Should().Equal("cpu0", "cpu1", "cpu2", "kvm0");
        vm.Invoking(s => s.CreateCpus(3)).Should().Throw<InvalidOperationException>().WithMessage("*already*");
    }

    [Fact]
    public void Sections_BeforeThereAreCpus_AreRefused()
    {
        using var machine = new GuestMachine();

        machine.Invoking(m => m.Vm.CreateStateSections()).Should().Throw<InvalidOperationException>().WithMessage("*no vCPUs*");
    }

    [Fact]
    public void Guest_MovedThroughItsSections_GoesOnWhereItWas()
    {
        using var source = new GuestMachine();
        source.Start64(CountForever);
        source.WaitForCounter(Counter, 1000);
        using GuestMachine destination = MachineMove.Prepare(source);

        MachineMove.Carry(source, destination);

        uint atPause = source.Get<uint>(Counter);
        destination.Vm.IsPaused.Should().BeTrue("applying a state lets nobody run");
        destination.Vm.Resume();
        destination.Vm.IsPaused.Should().BeFalse();
        destination.WaitForCounter(Counter, atPause + 1000);
        source.Vm.IsPaused.Should().BeTrue();
    }

    [Fact]
    public void Guest_MovedToAMachineThatIsNotResumed_CanGoOnAtTheSource()
    {
        using var source = new GuestMachine();
        source.Start64(CountForever);
        source.WaitForCounter(Counter, 1000);
        using (GuestMachine destination = MachineMove.Prepare(source))
        {
            MachineMove.Carry(source, destination);
            destination.Vm.Dispose();
            source.Vm.Resume();
            source.WaitForCounter(Counter, source.Get<uint>(Counter) + 1000);
            source.Vm.Dispose();
        }
    }

    /// <summary>The counter is kept in a register: one that was lost would show as a step back.</summary>
    private static void CountForever(Assembler c)
    {
        c.xor(r8d, r8d);
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(r8);
        c.mov(__dword_ptr[Counter], r8d);
        c.jmp(again);
    }
}
