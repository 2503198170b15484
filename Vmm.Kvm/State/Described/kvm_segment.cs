using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_segment : IDescribed<kvm_segment>
{
    public static string StateName => "kvm-segment";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_segment state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("base", ref state.@base);
        visitor.Field("limit", ref state.limit);
        visitor.Field("selector", ref state.selector);
        visitor.Field("type", ref state.type);
        visitor.Field("present", ref state.present);
        visitor.Field("dpl", ref state.dpl);
        visitor.Field("db", ref state.db);
        visitor.Field("s", ref state.s);
        visitor.Field("l", ref state.l);
        visitor.Field("g", ref state.g);
        visitor.Field("avl", ref state.avl);
        visitor.Field("unusable", ref state.unusable);
    }
}
