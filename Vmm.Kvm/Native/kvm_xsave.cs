namespace Vmm.Kvm.Native;

/// <summary>The fixed part of KVM_GET_XSAVE2 and KVM_SET_XSAVE; the real size is KVM_CHECK_EXTENSION(KVM_CAP_XSAVE2).</summary>
internal unsafe struct kvm_xsave
{
    internal fixed uint region[1024];
}
