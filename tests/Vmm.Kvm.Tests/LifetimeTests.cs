using Iced.Intel;
using Vmm.Core.Events;
using Vmm.Core.Interrupts;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Kvm.Tests.Guests;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.Kvm.Tests;

/// <summary>Alone, as it counts the threads and descriptors of the process.</summary>
[Collection(nameof(AloneCollection))]
public class LifetimeTests
{
    [Theory]
    [InlineData("running")]
    [InlineData("paused")]
    [InlineData("halted")]
    [InlineData("ended")]
    [InlineData("never started")]
    [InlineData("no vcpus")]
    public void Dispose_WhateverTheGuestDoes_LeavesNoThreadAndNoDescriptor(string condition)
    {
        Cycle(condition);
        int files = OpenFiles();

        for (int i = 0; i < 20; i++)
        {
            Cycle(condition);
        }

        OpenFiles().Should().Be(files);
        ExpectNoVcpuThreads();
    }

    [Fact]
    public void Dispose_Twice_IsHarmless()
    {
        using var machine = new GuestMachine();
        machine.Start32(Spin, 2);
        machine.Vm.Dispose();
        machine.Vm.Dispose();
    }

    [Fact]
    public void Handles_DisposedParentFirst_StayOpenUntilTheChildIsGone()
    {
        GuestMachine.RequireKvm();
        int files = OpenFiles();
        Kvm kvm = Kvm.Open("/dev/kvm");
        var vm = new KvmVm(kvm);
        vm.CreateInterruptControllers(pit: false);
        var vcpu = new KvmVcpu(vm, 0);

        kvm.Dispose();
        vm.Dispose();

        // The child still works, as it holds its parents.
        vcpu.GetRegisters().rflags.Should().Be(2);
        OpenFiles().Should().Be(files + 3);
        vcpu.Dispose();
        OpenFiles().Should().Be(files);
    }

    [Fact]
    public void OpenKvm_ThatIsNotThere_SaysWhatToDo()
    {
        FluentActions.Invoking(() => Kvm.Open("/dev/kvm-of-another-world"))
            .Should().Throw<LinuxException>().WithMessage("*modprobe kvm_amd*").Which.Errno.Should().Be(2);
    }

    [Fact]
    public void OpenKvm_OfAFileThatIsNotKvm_FailsAndLeavesNoDescriptor()
    {
        int files = OpenFiles();

        FluentActions.Invoking(() => Kvm.Open("/dev/null")).Should().Throw<LinuxException>().WithMessage("ioctl(KVM_GET_API_VERSION)*");

        OpenFiles().Should().Be(files);
    }

    [Fact]
    public void Start_WithMoreCpusThanKvmHas_IsRefusedWithTheLimit()
    {
        using var machine = new GuestMachine();

        machine.Invoking(m => m.Start32(Spin, m.Vm.MaxCpuCount + 1))
            .Should().Throw<ArgumentOutOfRangeException>().WithMessage($"*1 to {machine.Vm.MaxCpuCount} vCPUs*{machine.Vm.MaxCpuCount + 1}*");
        machine.Invoking(m => m.Start32(Spin, 0)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void Start_WithMoreCpusThanEightBitIds_RunsAndStops()
    {
        using var machine = new GuestMachine(memorySize: 2 << 20);
        if (machine.Vm.MaxCpuCount < 300)
        {
            Assert.Skip($"needs a KVM with 300 vCPUs for a machine; this one has {machine.Vm.MaxCpuCount}");
        }

        machine.Start32(c => GuestMachine.Exit(c, 3), 300);

        machine.WaitForEnd().Status.Should().Be(3);
        machine.Vm.Dispose();
        ExpectNoVcpuThreads();
    }

    [Fact]
    public void InterruptLine_AfterDispose_IsIgnored()
    {
        using var machine = new GuestMachine();
        IInterruptLine line = machine.Vm.GetInterruptLine(new Gsi(5));
        machine.Vm.Dispose();

        line.Invoking(l => l.SetLevel(true)).Should().NotThrow();
    }

    [Fact]
    public void Memory_MappedTwice_IsRefused()
    {
        using var machine = new GuestMachine();

        machine.Invoking(m => m.Vm.MapMemory(m.Memory)).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void Doorbell_AttachedTwice_NamesTheAddress()
    {
        using var machine = new GuestMachine();
        using var doorbell = new EventFd();
        machine.Vm.AttachDoorbell(new GuestAddress(GuestMachine.MmioAddress), 1, doorbell);

        machine.Invoking(m => m.Vm.AttachDoorbell(new GuestAddress(GuestMachine.MmioAddress), 1, doorbell))
            .Should().Throw<LinuxException>().WithMessage("*0xd0000000*");
    }

    [Fact]
    public void InterruptLine_BeyondTheIoApic_IsRefused()
    {
        using var machine = new GuestMachine();

        machine.Invoking(m => m.Vm.GetInterruptLine(new Gsi(24))).Should().Throw<ArgumentOutOfRangeException>();
    }

    private static void Cycle(string condition)
    {
        using var machine = new GuestMachine(memorySize: 2 << 20);
        switch (condition)
        {
            case "running":
                machine.Start32(Spin, 2);
                break;
            case "paused":
                machine.Start32(Spin, 2);
                machine.Vm.Pause();
                break;
            case "halted":
                machine.Start32(c => c.hlt(), 2);
                break;
            case "ended":
                machine.Start32(c => GuestMachine.Exit(c, 1), 2);
                machine.WaitForEnd().Cause.Should().Be(GuestEndCause.DebugExit);
                break;
            case "never started":
                machine.Vm.CreateCpus(2);
                break;
        }
    }

    private static void Spin(Assembler c)
    {
        Label again = c.CreateLabel();
        c.Label(ref again);
        c.inc(eax);
        c.jmp(again);
    }

    /// <summary>Descriptors of KVM and of guest memory; the test framework opens others at any time.</summary>
    private static int OpenFiles() => Directory.GetFiles("/proc/self/fd").Count(f =>
    {
        string? target = new FileInfo(f).LinkTarget;
        return target is not null && (target.Contains("kvm", StringComparison.Ordinal) || target.Contains("vmm-guest", StringComparison.Ordinal) || target == "/dev/null");
    });

    /// <summary>Join returns when the managed thread is done; the kernel's thread follows a moment later.</summary>
    private static void ExpectNoVcpuThreads()
        => SpinWait.SpinUntil(() => VcpuThreads() == 0, TimeSpan.FromSeconds(30)).Should().BeTrue("no vCPU thread may be left");

    private static int VcpuThreads() => Directory.GetDirectories("/proc/self/task").Count(t =>
    {
        try
        {
            return File.ReadAllText(Path.Combine(t, "comm")).StartsWith("vcpu", StringComparison.Ordinal);
        }
        catch (IOException)
        {
            return false; // It ended meanwhile.
        }
    });
}
