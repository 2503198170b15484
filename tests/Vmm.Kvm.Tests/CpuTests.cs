using System.Numerics;
using Iced.Intel;
using Vmm.Core.Machine;
using Vmm.Kvm.Cpu;
using Vmm.Kvm.Native;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

public class CpuTests
{
    private const int Started = 0x9000;
    private const int Ids = 0x9010;
    private const uint InterruptCommand = 0xFEE0_0300;

    [Theory]
    [InlineData(2)]
    [InlineData(4)]
    [InlineData(7)]
    public void ApplicationProcessors_AfterInitAndSipi_AllRunWithTheirOwnIds(int cpus)
    {
        using var machine = new GuestMachine();
        machine.Load(0x8000, 16, c =>
        {
            // Real mode, CS = 0x800, DS = 0.
            c.mov(eax, 1);
            c.cpuid();
            c.shr(ebx, 24);
            c.mov(si, bx);
            c.mov(eax, 0xB);
            c.xor(ecx, ecx);
            c.cpuid();
            c.mov(__byte_ptr[si + Ids], dl);
            c.@lock.inc(__word_ptr[Started]);
            c.cli();
            c.hlt();
        });
        machine.Start32(
            c =>
            {
                c.mov(__dword_ptr[0xFEE0_00F0], 0x1FF);
                c.mov(__dword_ptr[InterruptCommand], 0x000C_4500);
                c.mov(__dword_ptr[InterruptCommand], 0x000C_4608);
                Label wait = c.CreateLabel();
                c.Label(ref wait);
                c.pause();
                c.cmp(__word_ptr[Started], cpus - 1);
                c.jne(wait);
                GuestMachine.Exit(c, 0);
            },
            cpus);

        GuestEnd end = machine.WaitForEnd();

        end.Cause.Should().Be(GuestEndCause.DebugExit, end.Report);
        for (int id = 1; id < cpus; id++)
        {
            machine.Get<byte>(Ids + (ulong)id).Should().Be((byte)id);
        }
    }

    [Fact]
    public void Entry32_OfThePvhKind_HasTheDocumentedRegisters()
    {
        using var machine = new GuestMachine();
        machine.Start32(c =>
        {
            c.mov(__dword_ptr[0x2000], ebx);
            c.mov(eax, cr0);
            c.mov(__dword_ptr[0x2004], eax);
            c.mov(eax, cr4);
            c.mov(__dword_ptr[0x2008], eax);
            c.mov(ax, cs);
            c.mov(__word_ptr[0x200C], ax);
            c.mov(ax, ds);
            c.mov(__word_ptr[0x200E], ax);
            GuestMachine.Exit(c, 0);
        });

        machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);

        machine.Get<uint>(0x2000).Should().Be(0x6000, "RBX holds the start info");
        machine.Get<uint>(0x2004).Should().Be(0x11, "CR0 has PE (and ET, which is hard-wired)");
        machine.Get<uint>(0x2008).Should().Be(0);
        machine.Get<ushort>(0x200C).Should().Be(0x08);
        machine.Get<ushort>(0x200E).Should().Be(0x10);
    }

    [Fact]
    public void Entry64_HasTheDocumentedRegisters()
    {
        using var machine = new GuestMachine();
        machine.Start64(c =>
        {
            c.mov(__qword_ptr[0x10000], rsi);
            c.mov(rax, cr0);
            c.mov(__qword_ptr[0x10008], rax);
            c.mov(rax, cr3);
            c.mov(__qword_ptr[0x10010], rax);
            c.mov(rax, cr4);
            c.mov(__qword_ptr[0x10018], rax);
            c.mov(ecx, unchecked((int)0xC000_0080));
            c.rdmsr();
            c.mov(__dword_ptr[0x10020], eax);
            c.mov(ax, cs);
            c.mov(__word_ptr[0x10024], ax);
            GuestMachine.Exit(c, 0);
        });

        GuestEnd end = machine.WaitForEnd();
        end.Cause.Should().Be(GuestEndCause.DebugExit, end.Report);

        machine.Get<ulong>(0x10000).Should().Be(0x6000, "RSI holds the start info");
        (machine.Get<ulong>(0x10008) & 0x8000_0001).Should().Be(0x8000_0001, "CR0 has PE and PG");
        machine.Get<ulong>(0x10010).Should().Be(GuestMachine.PageTable);
        (machine.Get<ulong>(0x10018) & 0x20).Should().Be(0x20, "CR4 has PAE");
        (machine.Get<uint>(0x10020) & 0x500).Should().Be(0x500, "EFER has LME and LMA");
        machine.Get<ushort>(0x10024).Should().Be(0x20);
    }

    [Fact]
    public void Fpu_OfANewCpu_IsUsable()
    {
        using var machine = new GuestMachine();
        machine.Vm.CreateCpus(1);
        var state = machine.Vm.CreateState();
        machine.Vm.SaveState(state);

        // XSAVE legacy area: FCW at 0, MXCSR at 24.
        BitConverter.ToUInt16(state.Vcpus[0].Xsave, 0).Should().Be(0x37F);
        BitConverter.ToUInt32(state.Vcpus[0].Xsave, 24).Should().Be(0x1F80);
    }

    [Theory]
    [InlineData(1u)]
    [InlineData(2u)]
    [InlineData(3u)]
    [InlineData(8u)]
    [InlineData(300u)]
    public void Cpuid_ForEachCpu_DescribesOnePackageOfThatManyCores(uint count)
    {
        GuestMachine.RequireKvm();
        using Kvm kvm = Kvm.Open("/dev/kvm");
        kvm_cpuid_entry2[] supported = kvm.GetSupportedCpuid();

        for (uint id = 0; id < count; id++)
        {
            kvm_cpuid_entry2[] table = CpuidTable.ForCpu(supported, id, count, tscDeadline: true);

            kvm_cpuid_entry2 one = table.Single(e => e.function == 1);
            (one.ebx >> 24).Should().Be(id & 0xFF);
            (one.ecx >> 31).Should().Be(1, "the hypervisor bit");
            ((one.ecx >> 24) & 1).Should().Be(1, "the TSC deadline timer");
            ((one.edx >> 28) & 1).Should().Be(count > 1 ? 1u : 0u);
            ((one.ecx >> 5) & 1).Should().Be(0, "no nested VMX");
            table.Where(e => e.function == 0xB).Select(e => e.edx).Should().Equal(id, id, id);
            kvm_cpuid_entry2 core = table.Single(e => e.function == 0xB && e.index == 1);
            core.ebx.Should().Be(count);
            (id >> (int)core.eax).Should().Be(0, "all cores are in package 0");
            BitOperations.RoundUpToPowerOf2(count).Should().Be(1u << (int)core.eax);
            table.Where(e => e.function == 0x8000_001E).Should().NotContain(e => e.eax != id);
            table.Where(e => e.function == 0x8000_0001).Should().NotContain(e => (e.ecx & 4) != 0, "no nested SVM");
        }

        // kvmclock stays.
        kvm_cpuid_entry2 signature = CpuidTable.ForCpu(supported, 0, count, tscDeadline: true).Single(e => e.function == 0x4000_0000);
        signature.ebx.Should().Be(0x4B4D_564B, "KVMK");
        supported.Single(e => e.function == 0x4000_0001).eax.Should()
            .Be(CpuidTable.ForCpu(supported, 0, count, tscDeadline: true).Single(e => e.function == 0x4000_0001).eax);
    }

    [Fact]
    public void Cpuid_WithoutExtendedState_HasNeitherXsaveNorWhatNeedsIt()
    {
        kvm_cpuid_entry2[] all = [.. ((ReadOnlySpan<(uint, uint)>)[(1, 0), (7, 0), (7, 1), (0xD, 0), (0xD, 1), (0xD, 2), (0x8000_0001, 0)]).ToArray()
            .Select(leaf => new kvm_cpuid_entry2 { function = leaf.Item1, index = leaf.Item2, eax = ~0u, ebx = ~0u, ecx = ~0u, edx = ~0u })];

        kvm_cpuid_entry2[] table = CpuidTable.WithoutExtendedState(all);

        table.Select(leaf => (leaf.function, leaf.index, ~leaf.ebx, ~leaf.ecx)).Should().Equal(
            (1u, 0u, 0u, 1u << 12 | 0b1111u << 26), (7u, 0u, 1u << 5, 0b11u << 3 | 0b11u << 9), (7u, 1u, 0u, 0u), (0x8000_0001u, 0u, 0u, 1u << 11 | 1u << 16));
    }

    [Theory]
    [InlineData(0x5447_4354, 0x4354_4743, 0x4743_5447, true)]
    [InlineData(0x4B4D_564B, 0x564B_4D56, 0x0000_004D, false)]
    public void HostCpu_Signature_TellsTcg(int ebx, int ecx, int edx, bool expected) => HostCpu.IsTcg([ebx, ecx, edx]).Should().Be(expected);
}
