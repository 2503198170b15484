namespace Vmm.Kvm.Native;

/// <summary>One model-specific register.</summary>
internal partial struct kvm_msr_entry
{
    internal uint index;
    internal uint reserved;
    internal ulong data;
}

/// <summary>KVM_GET_MSRS, KVM_SET_MSRS: followed by nmsrs entries.</summary>
internal struct kvm_msrs
{
    internal uint nmsrs;
    internal uint pad;
}

/// <summary>KVM_GET_MSR_INDEX_LIST: followed by nmsrs 32-bit indices.</summary>
internal struct kvm_msr_list
{
    internal uint nmsrs;
}
