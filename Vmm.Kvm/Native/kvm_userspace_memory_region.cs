namespace Vmm.Kvm.Native;

/// <summary>KVM_SET_USER_MEMORY_REGION.</summary>
internal struct kvm_userspace_memory_region
{
    internal uint slot;
    internal uint flags;
    internal ulong guest_phys_addr;
    internal ulong memory_size;
    internal ulong userspace_addr;
}
