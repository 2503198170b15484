using System.Runtime.InteropServices;
using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal unsafe partial struct kvm_lapic_state : IDescribed<kvm_lapic_state>
{
    public static string StateName => "kvm-lapic";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_lapic_state state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Bytes("regs", MemoryMarshal.CreateSpan(ref state.regs[0], 0x400));
    }
}
