namespace Vmm.Kvm.Native;

/// <summary>KVM_SIGNAL_MSI.</summary>
internal unsafe struct kvm_msi
{
    internal uint address_lo;
    internal uint address_hi;
    internal uint data;
    internal uint flags;
    internal uint devid;
    internal fixed byte pad[12];
}
