using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_regs : IDescribed<kvm_regs>
{
    public static string StateName => "kvm-regs";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_regs state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("rax", ref state.rax);
        visitor.Field("rbx", ref state.rbx);
        visitor.Field("rcx", ref state.rcx);
        visitor.Field("rdx", ref state.rdx);
        visitor.Field("rsi", ref state.rsi);
        visitor.Field("rdi", ref state.rdi);
        visitor.Field("rsp", ref state.rsp);
        visitor.Field("rbp", ref state.rbp);
        visitor.Field("r8", ref state.r8);
        visitor.Field("r9", ref state.r9);
        visitor.Field("r10", ref state.r10);
        visitor.Field("r11", ref state.r11);
        visitor.Field("r12", ref state.r12);
        visitor.Field("r13", ref state.r13);
        visitor.Field("r14", ref state.r14);
        visitor.Field("r15", ref state.r15);
        visitor.Field("rip", ref state.rip);
        visitor.Field("rflags", ref state.rflags);
    }
}
