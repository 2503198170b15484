namespace Vmm.Kvm.Native;

/// <summary>KVM_IRQFD.</summary>
internal unsafe struct kvm_irqfd
{
    internal uint fd;
    internal uint gsi;
    internal uint flags;
    internal uint resamplefd;
    internal fixed byte pad[16];
}
