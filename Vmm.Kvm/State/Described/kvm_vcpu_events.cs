using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_vcpu_events : IDescribed<kvm_vcpu_events>
{
    public static string StateName => "kvm-vcpu-events";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_vcpu_events state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("exception_injected", ref state.exception.injected);
        visitor.Field("exception_nr", ref state.exception.nr);
        visitor.Field("exception_has_error_code", ref state.exception.has_error_code);
        visitor.Field("exception_pending", ref state.exception.pending);
        visitor.Field("exception_error_code", ref state.exception.error_code);
        visitor.Field("interrupt_injected", ref state.interrupt.injected);
        visitor.Field("interrupt_nr", ref state.interrupt.nr);
        visitor.Field("interrupt_soft", ref state.interrupt.soft);
        visitor.Field("interrupt_shadow", ref state.interrupt.shadow);
        visitor.Field("nmi_injected", ref state.nmi.injected);
        visitor.Field("nmi_pending", ref state.nmi.pending);
        visitor.Field("nmi_masked", ref state.nmi.masked);
        visitor.Field("sipi_vector", ref state.sipi_vector);
        visitor.Field("flags", ref state.flags);
        visitor.Field("smi_smm", ref state.smi.smm);
        visitor.Field("smi_pending", ref state.smi.pending);
        visitor.Field("smi_smm_inside_nmi", ref state.smi.smm_inside_nmi);
        visitor.Field("smi_latched_init", ref state.smi.latched_init);
        visitor.Field("triple_fault_pending", ref state.triple_fault.pending);
        visitor.Field("exception_has_payload", ref state.exception_has_payload);
        visitor.Field("exception_payload", ref state.exception_payload);
    }
}
