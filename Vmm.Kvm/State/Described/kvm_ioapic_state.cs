using System.Runtime.InteropServices;
using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal unsafe partial struct kvm_ioapic_state : IDescribed<kvm_ioapic_state>
{
    public static string StateName => "kvm-ioapic";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_ioapic_state state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("base_address", ref state.base_address);
        visitor.Field("ioregsel", ref state.ioregsel);
        visitor.Field("id", ref state.id);
        visitor.Field("irr", ref state.irr);
        visitor.Each("redirtbl", MemoryMarshal.CreateSpan(ref state.redirtbl[0], 24));
    }
}
