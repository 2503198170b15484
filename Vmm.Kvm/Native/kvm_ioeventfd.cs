namespace Vmm.Kvm.Native;

/// <summary>KVM_IOEVENTFD.</summary>
internal unsafe struct kvm_ioeventfd
{
    internal ulong datamatch;
    internal ulong addr;
    internal uint len;
    internal int fd;
    internal uint flags;
    internal fixed byte pad[36];
}
