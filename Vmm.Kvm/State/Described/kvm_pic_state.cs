using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_pic_state : IDescribed<kvm_pic_state>
{
    public static string StateName => "kvm-pic";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_pic_state state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("last_irr", ref state.last_irr);
        visitor.Field("irr", ref state.irr);
        visitor.Field("imr", ref state.imr);
        visitor.Field("isr", ref state.isr);
        visitor.Field("priority_add", ref state.priority_add);
        visitor.Field("irq_base", ref state.irq_base);
        visitor.Field("read_reg_select", ref state.read_reg_select);
        visitor.Field("poll", ref state.poll);
        visitor.Field("special_mask", ref state.special_mask);
        visitor.Field("init_state", ref state.init_state);
        visitor.Field("auto_eoi", ref state.auto_eoi);
        visitor.Field("rotate_on_auto_eoi", ref state.rotate_on_auto_eoi);
        visitor.Field("special_fully_nested_mode", ref state.special_fully_nested_mode);
        visitor.Field("init4", ref state.init4);
        visitor.Field("elcr", ref state.elcr);
        visitor.Field("elcr_mask", ref state.elcr_mask);
    }
}
