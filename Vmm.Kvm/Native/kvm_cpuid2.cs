namespace Vmm.Kvm.Native;

/// <summary>One CPUID leaf, or one index of it.</summary>
internal unsafe struct kvm_cpuid_entry2
{
    internal uint function;
    internal uint index;
    internal uint flags;
    internal uint eax;
    internal uint ebx;
    internal uint ecx;
    internal uint edx;
    internal fixed uint padding[3];
}

/// <summary>KVM_GET_SUPPORTED_CPUID, KVM_SET_CPUID2: followed by nent entries.</summary>
internal struct kvm_cpuid2
{
    internal uint nent;
    internal uint padding;
}
