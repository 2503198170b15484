namespace Vmm.Kvm.Native;

/// <summary>KVM_IRQ_LINE.</summary>
internal struct kvm_irq_level
{
    internal uint irq;
    internal uint level;
}
