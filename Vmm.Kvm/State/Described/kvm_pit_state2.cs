using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_pit_state2 : IDescribed<kvm_pit_state2>
{
    public static string StateName => "kvm-pit";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_pit_state2 state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Structs("channels", (Span<kvm_pit_channel_state>)state.channels);
        visitor.Field("flags", ref state.flags);
    }
}
