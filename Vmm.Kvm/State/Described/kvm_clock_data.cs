using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_clock_data : IDescribed<kvm_clock_data>
{
    public static string StateName => "kvm-clock";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_clock_data state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("clock", ref state.clock);
        visitor.Field("flags", ref state.flags);
        visitor.Field("realtime", ref state.realtime);
        visitor.Field("host_tsc", ref state.host_tsc);
    }
}
