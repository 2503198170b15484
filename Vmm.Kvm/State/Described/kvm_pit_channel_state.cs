using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_pit_channel_state : IDescribed<kvm_pit_channel_state>
{
    public static string StateName => "kvm-pit-channel";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_pit_channel_state state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("count", ref state.count);
        visitor.Field("latched_count", ref state.latched_count);
        visitor.Field("count_latched", ref state.count_latched);
        visitor.Field("status_latched", ref state.status_latched);
        visitor.Field("status", ref state.status);
        visitor.Field("read_state", ref state.read_state);
        visitor.Field("write_state", ref state.write_state);
        visitor.Field("write_latch", ref state.write_latch);
        visitor.Field("rw_mode", ref state.rw_mode);
        visitor.Field("mode", ref state.mode);
        visitor.Field("bcd", ref state.bcd);
        visitor.Field("gate", ref state.gate);
        visitor.Field("count_load_time", ref state.count_load_time);
    }
}
