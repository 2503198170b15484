namespace Vmm.Kvm.Native;

/// <summary>KVM_SET_SIGNAL_MASK: followed by len bytes, the kernel's sigset_t.</summary>
internal struct kvm_signal_mask
{
    internal uint len;
}
