using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>The section after RAM: where the stream will end, since a channel's reader can't see its end before it is there.</summary>
internal struct RemainderState : IDescribed<RemainderState>
{
    /// <summary>Bytes from this section's footer to the end of the stream: the devices' sections and the description.</summary>
    public uint Size;

    public static string StateName => "remainder";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref RemainderState state) where TVisitor : IStateVisitor, allows ref struct
        => visitor.Field("size", ref state.Size);
}
