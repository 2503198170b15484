namespace Vmm.Kvm.Native;

/// <summary>KVM_GET_CLOCK, KVM_SET_CLOCK.</summary>
internal unsafe partial struct kvm_clock_data
{
    internal ulong clock;
    internal uint flags;
    internal uint pad0;
    internal ulong realtime;
    internal ulong host_tsc;
    internal fixed uint pad[4];
}
