namespace Vmm.Kvm.Native;

/// <summary>KVM_ENABLE_CAP.</summary>
internal unsafe struct kvm_enable_cap
{
    internal uint cap;
    internal uint flags;
    internal fixed ulong args[4];
    internal fixed byte pad[64];
}
