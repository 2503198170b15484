using System.Runtime.Intrinsics.X86;
using Iced.Intel;
using Vmm.Kvm.State;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

/// <summary>Registers that KVM keeps and does not list: a guest sets them, is moved, and reads them again.</summary>
public class MsrTests
{
    private const ulong Counter = 0x20_0000;
    private const ulong Moved = 0x20_0008;
    private const ulong Results = 0x20_1000;

    /// <summary>Memory types of fixed and variable ranges, the default type with both switched on; machine-check banks, the first and the last.</summary>
    private static readonly (uint Index, ulong Value)[] _values =
    [
        (0x200, 0xD000_0000), (0x201, 0xF_F000_0800), (0x20E, 0x8000_0006), (0x20F, 0xF_FF00_0800),
        (0x250, 0x0606_0606_0606_0606), (0x258, 0x0505_0505_0404_0404), (0x259, 0), (0x268, 0x0001_0405_0600_0606), (0x26F, 0x0505_0505_0505_0505),
        (0x2FF, 0xC06),
        (0x400, ulong.MaxValue), (0x402, 0x1234_5678_9ABC), (0x403, 0x8C), (0x47E, 0xFEDC_BA98), (0x47F, 0x86),
    ];

    [Fact]
    public void MemoryTypesAndMachineCheckBanks_AreTheGuestsInAFreshMachine()
    {
        using var first = new GuestMachine();
        first.Start64(SetAndReadBack);
        first.WaitForCounter(Counter, 10);
        first.Vm.Pause();
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);
        first.Vm.Dispose();

        using var second = new GuestMachine(memory: first.Memory);
        second.Vm.CreateCpus(1);
        second.Vm.RestoreState(state);
        second.Put(Moved, 1);
        second.Vm.Resume();

        second.WaitForEnd().Status.Should().Be(0);
        _values.Select((_, i) => second.Get<ulong>(Results + (ulong)i * 8)).Should().Equal(_values.Select(v => v.Value));
    }

    [Fact]
    public void Entry_HasFastStringsAndAllMemoryWriteBack()
    {
        using var machine = new GuestMachine();
        machine.Start64(c =>
        {
            foreach ((int register, ulong place) in ((int, ulong)[])[(0x1A0, Results), (0x2FF, Results + 8)])
            {
                c.mov(ecx, register);
                c.rdmsr();
                c.mov(__dword_ptr[place], eax);
            }

            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Status.Should().Be(0);
        (machine.Get<uint>(Results) & 1).Should().Be(1, "IA32_MISC_ENABLE has fast strings");
        machine.Get<uint>(Results + 8).Should().Be(0x806, "IA32_MTRR_DEF_TYPE");
    }

    [Fact]
    public void ProcessorNumber_OfAGuestThatSetIt_IsKept()
    {
        const uint TscAux = 0xC000_0103;
        const int Rdtscp = 1 << 27;
        Assert.SkipUnless((X86Base.CpuId(unchecked((int)0x8000_0001), 0).Edx & Rdtscp) != 0, "This host's CPU has no RDTSCP.");
        using var first = new GuestMachine();
        first.Vm.CreateCpus(1);
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);
        Entry(state, TscAux).data = 0x0000_1005;

        KvmMachineState copy = RestoreElsewhere(state);

        Entry(copy, TscAux).data.Should().Be(0x0000_1005);
    }

    [Fact]
    public void MachineCheck_ThatThisGuestCouldNotWriteItself_IsKept()
    {
        // A guest may only write 0 to MCi_STATUS; what is there else is a machine check that was injected.
        const uint Status = 0x401;
        const ulong Valid = 0xBE00_0000_0000_0135;
        using var first = new GuestMachine();
        first.Vm.CreateCpus(1);
        KvmMachineState state = first.Vm.CreateState();
        first.Vm.SaveState(state);
        Entry(state, Status).data = Valid;

        KvmMachineState copy = RestoreElsewhere(state);

        Entry(copy, Status).data.Should().Be(Valid);
    }

    [Fact]
    public void Msrs_OfAState_AreThereOnce()
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);

        uint[] indices = [.. machine.Vm.CreateState().Vcpus[0].Msrs.Entries.ToArray().Select(m => m.index)];

        indices.Should().OnlyHaveUniqueItems();
        // The default type switches the ranges on: it comes last.
        indices.Where(i => i is >= 0x200 and <= 0x2FF and not 0x277).Should().HaveCount(28).And.EndWith(0x2FF);
    }

    private static KvmMachineState RestoreElsewhere(KvmMachineState state)
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);
        machine.Vm.RestoreState(state);
        KvmMachineState copy = machine.Vm.CreateState();
        machine.Vm.SaveState(copy);
        return copy;
    }

    private static ref Native.kvm_msr_entry Entry(KvmMachineState state, uint index)
    {
        Span<Native.kvm_msr_entry> entries = state.Vcpus[0].Msrs.Entries;
        for (int i = 0; i < entries.Length; i++)
        {
            if (entries[i].index == index)
            {
                return ref entries[i];
            }
        }

        throw new InvalidOperationException($"MSR 0x{index:x} is not part of the state.");
    }

    /// <summary>Sets all, counts until it is told that it was moved, reads all.</summary>
    private static void SetAndReadBack(Assembler c)
    {
        foreach ((uint index, ulong value) in _values)
        {
            c.mov(ecx, index);
            c.mov(eax, (uint)value);
            c.mov(edx, (uint)(value >> 32));
            c.wrmsr();
        }

        Label wait = c.CreateLabel();
        c.Label(ref wait);
        c.inc(__dword_ptr[Counter]);
        c.cmp(__dword_ptr[Moved], 1);
        c.jne(wait);
        for (int i = 0; i < _values.Length; i++)
        {
            c.mov(ecx, _values[i].Index);
            c.rdmsr();
            c.mov(__dword_ptr[Results + (ulong)i * 8], eax);
            c.mov(__dword_ptr[Results + (ulong)i * 8 + 4], edx);
        }

        GuestMachine.Exit(c, 0);
    }
}
