using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>Single parts of a vCPU's state. Only while its thread is outside KVM_RUN.</summary>
internal sealed unsafe partial class KvmVcpu
{
    internal kvm_regs GetRegisters()
    {
        var value = default(kvm_regs);
        Get(KVM_GET_REGS, ref value, nameof(KVM_GET_REGS));
        return value;
    }

    internal void SetRegisters(in kvm_regs value) => Set(KVM_SET_REGS, in value, nameof(KVM_SET_REGS));

    internal kvm_sregs GetSpecialRegisters()
    {
        var value = default(kvm_sregs);
        Get(KVM_GET_SREGS, ref value, nameof(KVM_GET_SREGS));
        return value;
    }

    internal void SetSpecialRegisters(in kvm_sregs value) => Set(KVM_SET_SREGS, in value, nameof(KVM_SET_SREGS));

    internal uint GetMpState()
    {
        var value = default(kvm_mp_state);
        Get(KVM_GET_MP_STATE, ref value, nameof(KVM_GET_MP_STATE));
        return value.mp_state;
    }
}
