using Vmm.Core.State;

namespace Vmm.Kvm.Native;

internal partial struct kvm_xcrs : IDescribed<kvm_xcrs>
{
    private const int MaxXcrs = 16;

    public static string StateName => "kvm-xcrs";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref kvm_xcrs state) where TVisitor : IStateVisitor, allows ref struct
    {
        int count = (int)state.nr_xcrs;
        visitor.Count("nr_xcrs", ref count, MaxXcrs);
        state.nr_xcrs = (uint)count;
        visitor.Field("flags", ref state.flags);
        visitor.Structs("xcrs", ((Span<kvm_xcr>)state.xcrs)[..count]);
    }
}
