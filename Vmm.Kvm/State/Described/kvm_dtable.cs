using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_dtable : IDescribed<kvm_dtable>
{
    public static string StateName => "kvm-dtable";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_dtable state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("base", ref state.@base);
        visitor.Field("limit", ref state.limit);
    }
}
