using System.Runtime.InteropServices;
using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal unsafe partial struct kvm_sregs2 : IDescribed<kvm_sregs2>
{
    public static string StateName => "kvm-sregs2";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_sregs2 state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Struct("cs", ref state.cs);
        visitor.Struct("ds", ref state.ds);
        visitor.Struct("es", ref state.es);
        visitor.Struct("fs", ref state.fs);
        visitor.Struct("gs", ref state.gs);
        visitor.Struct("ss", ref state.ss);
        visitor.Struct("tr", ref state.tr);
        visitor.Struct("ldt", ref state.ldt);
        visitor.Struct("gdt", ref state.gdt);
        visitor.Struct("idt", ref state.idt);
        visitor.Field("cr0", ref state.cr0);
        visitor.Field("cr2", ref state.cr2);
        visitor.Field("cr3", ref state.cr3);
        visitor.Field("cr4", ref state.cr4);
        visitor.Field("cr8", ref state.cr8);
        visitor.Field("efer", ref state.efer);
        visitor.Field("apic_base", ref state.apic_base);
        visitor.Field("flags", ref state.flags);
        visitor.Each("pdptrs", MemoryMarshal.CreateSpan(ref state.pdptrs[0], 4));
    }
}
