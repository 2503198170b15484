using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_xcr : IDescribed<kvm_xcr>
{
    public static string StateName => "kvm-xcr";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_xcr state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("xcr", ref state.xcr);
        visitor.Field("value", ref state.value);
    }
}
