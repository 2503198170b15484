namespace Vmm.Kvm.Native;

/// <summary>KVM_GET_DEBUGREGS, KVM_SET_DEBUGREGS.</summary>
internal unsafe partial struct kvm_debugregs
{
    internal fixed ulong db[4];
    internal ulong dr6;
    internal ulong dr7;
    internal ulong flags;
    internal fixed ulong reserved[9];
}
