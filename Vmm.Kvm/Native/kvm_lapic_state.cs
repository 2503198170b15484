namespace Vmm.Kvm.Native;

/// <summary>KVM_GET_LAPIC, KVM_SET_LAPIC: the register page.</summary>
internal unsafe partial struct kvm_lapic_state
{
    internal fixed byte regs[0x400];
}
