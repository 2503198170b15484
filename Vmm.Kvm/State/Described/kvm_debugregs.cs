using System.Runtime.InteropServices;
using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal unsafe partial struct kvm_debugregs : IDescribed<kvm_debugregs>
{
    public static string StateName => "kvm-debugregs";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_debugregs state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Each("db", MemoryMarshal.CreateSpan(ref state.db[0], 4));
        visitor.Field("dr6", ref state.dr6);
        visitor.Field("dr7", ref state.dr7);
        visitor.Field("flags", ref state.flags);
    }
}
