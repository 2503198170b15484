using System.Runtime.CompilerServices;

namespace Vmm.Kvm.Native;

/// <summary>One extended control register.</summary>
internal partial struct kvm_xcr
{
    internal uint xcr;
    internal uint reserved;
    internal ulong value;
}

/// <summary>KVM_GET_XCRS, KVM_SET_XCRS.</summary>
internal unsafe partial struct kvm_xcrs
{
    internal uint nr_xcrs;
    internal uint flags;
    internal _xcrs xcrs;
    internal fixed ulong padding[16];

    [InlineArray(16)]
    internal struct _xcrs
    {
        private kvm_xcr _element;
    }
}
