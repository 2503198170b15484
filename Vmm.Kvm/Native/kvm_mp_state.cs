namespace Vmm.Kvm.Native;

/// <summary>KVM_GET_MP_STATE, KVM_SET_MP_STATE.</summary>
internal struct kvm_mp_state
{
    internal uint mp_state;
}
