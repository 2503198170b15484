using Vmm.Core.Linux;
using Vmm.Kvm;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using static Vmm.Kvm.Native.KvmConstants;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Perf.Blackout;

/// <summary>
/// The bound for saving and setting a machine: every ioctl that there is, on its own, with nothing around it. The machines are paused.
/// </summary>
internal sealed unsafe class BareState(KvmVirtualMachine machine)
{
    private readonly KvmVcpuState[] _cpus = [.. machine.Vcpus.Select(v => v.CreateState())];
    private readonly string _msrs = $"{machine.Vm.StateTraits.Msrs.Length} msrs";
    private StepTimes _times = new();
    private kvm_irqchip _chip = new() { chip_id = KVM_IRQCHIP_IOAPIC };
    private kvm_clock_data _clock;

    public void Get(KvmVirtualMachine source, StepTimes times)
    {
        _times = times;
        for (int i = 0; i < _cpus.Length; i++)
        {
            ref KvmVcpuState state = ref _cpus[i];
            int fd = source.Vcpus[i].Number;
            Time(fd, KVM_GET_MP_STATE, ref state.MpState, "get mp_state");
            Time(fd, KVM_GET_REGS, ref state.Registers, "get regs");
            Time(fd, KVM_GET_SREGS2, ref state.SpecialRegisters, "get sregs2");
            Time(fd, KVM_GET_XSAVE2, ref state.Xsave[0], "get xsave2");
            Time(fd, KVM_GET_XCRS, ref state.ExtendedControlRegisters, "get xcrs");
            Time(fd, KVM_GET_DEBUGREGS, ref state.DebugRegisters, "get debugregs");
            Time(fd, KVM_GET_LAPIC, ref state.LocalApic, "get lapic");
            Offset(fd, KVM_GET_DEVICE_ATTR, ref state.TscOffset, "get tsc offset");
            times.Begin();
            _ = state.Msrs.Call(source.Vcpus[i], KVM_GET_MSRS, 0, state.Msrs.Entries.Length);
            times.Mark($"get {_msrs}");
            Time(fd, KVM_GET_VCPU_EVENTS, ref state.Events, "get events");
        }

        Time(source.Vm.Number, KVM_GET_IRQCHIP, ref _chip, "get irqchip (1 of 3)");
        Time(source.Vm.Number, KVM_GET_CLOCK, ref _clock, "get clock");
    }

    public void Set(KvmVirtualMachine destination, StepTimes times)
    {
        _times = times;
        Time(destination.Vm.Number, KVM_SET_IRQCHIP, ref _chip, "set irqchip (1 of 3)");
        for (int i = 0; i < _cpus.Length; i++)
        {
            ref KvmVcpuState state = ref _cpus[i];
            int fd = destination.Vcpus[i].Number;
            Time(fd, KVM_SET_MP_STATE, ref state.MpState, "set mp_state");
            Time(fd, KVM_SET_REGS, ref state.Registers, "set regs");
            Time(fd, KVM_SET_SREGS2, ref state.SpecialRegisters, "set sregs2");
            Time(fd, KVM_SET_XCRS, ref state.ExtendedControlRegisters, "set xcrs");
            Time(fd, KVM_SET_XSAVE, ref state.Xsave[0], "set xsave");
            Time(fd, KVM_SET_DEBUGREGS, ref state.DebugRegisters, "set debugregs");
            Time(fd, KVM_SET_LAPIC, ref state.LocalApic, "set lapic");
            Offset(fd, KVM_SET_DEVICE_ATTR, ref state.TscOffset, "set tsc offset");
            times.Begin();
            _ = state.Msrs.Call(destination.Vcpus[i], KVM_SET_MSRS, 0, state.Msrs.Entries.Length);
            times.Mark($"set {_msrs}");
            Time(fd, KVM_SET_VCPU_EVENTS, ref state.Events, "set events");
        }

        _clock.flags &= KVM_CLOCK_REALTIME;
        Time(destination.Vm.Number, KVM_SET_CLOCK, ref _clock, "set clock");
    }

    private void Offset(int fd, uint request, ref ulong offset, string name)
    {
        fixed (ulong* pointer = &offset)
        {
            kvm_device_attr attribute = new() { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET, addr = (ulong)pointer };
            Time(fd, request, ref attribute, name);
        }
    }

    private void Time<T>(int fd, uint request, ref T value, string name) where T : unmanaged
    {
        fixed (T* pointer = &value)
        {
            _times.Begin();
            int result = ioctl(fd, request, pointer);
            _times.Mark(name);
            if (result < 0)
            {
                throw new LinuxException($"ioctl: {name}", "a paused machine", Tmds.Linux.LibC.errno);
            }
        }
    }
}
