using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_msr_entry : IDescribed<kvm_msr_entry>
{
    public static string StateName => "kvm-msr";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_msr_entry state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("index", ref state.index);
        visitor.Field("data", ref state.data);
    }
}
