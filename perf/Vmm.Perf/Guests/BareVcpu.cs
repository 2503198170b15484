using Iced.Intel;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Kvm;
using Vmm.Kvm.Cpu;
using Vmm.Kvm.Native;

namespace Vmm.Perf.Guests;

/// <summary>The physical bound for an exit: one vCPU entered by nothing but ioctl(KVM_RUN) in a loop, its exits not looked at.</summary>
internal sealed unsafe class BareVcpu : IDisposable
{
    private readonly Kvm.Kvm _kvm;
    private readonly KvmVm _vm;
    private readonly KvmVcpu _vcpu;
    private readonly GuestMemory _memory;

    public BareVcpu(Action<Assembler> program)
    {
        _memory = GuestMemory.Create(new GuestMemoryOptions(4 << 20, Populate: true));
        ExitGuest.Load(_memory, program);
        _kvm = Kvm.Kvm.Open("/dev/kvm");
        _vm = new KvmVm(_kvm);
        _vm.CreateInterruptControllers(pit: false);
        _vm.SetMemorySlot(0, _memory.Regions[0]);
        _vcpu = new KvmVcpu(_vm, 0);
        EntryState.Apply(_vcpu, ExitGuest.Entry);
    }

    public void Run(int exits)
    {
        int fd = _vcpu.Number;
        for (int i = 0; i < exits; i++)
        {
            // SAFETY: KVM_RUN takes no argument.
            if (KvmIoctl.ioctl(fd, KvmIoctl.KVM_RUN, null) < 0)
            {
                throw new LinuxException("ioctl(KVM_RUN)", "a vCPU", Tmds.Linux.LibC.errno);
            }
        }
    }

    public void Dispose()
    {
        _vcpu.Dispose();
        _vm.Dispose();
        _kvm.Dispose();
        _memory.Dispose();
    }
}
