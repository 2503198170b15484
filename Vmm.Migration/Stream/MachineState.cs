using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>The first section of a stream with RAM: all that a destination has to know before it can build the machine.</summary>
internal struct MachineState : IDescribed<MachineState>
{
    /// <summary>More than any manifest has.</summary>
    public const int MaxManifest = 512 << 10;

    /// <summary>A <see cref="Live.Manifest"/>, as JSON.</summary>
    public byte[]? Manifest;

    public static string StateName => "machine";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref MachineState state) where TVisitor : IStateVisitor, allows ref struct
    {
        int size = state.Manifest?.Length ?? 0;
        visitor.Count("manifest_size", ref size, MaxManifest);
        state.Manifest = size == state.Manifest?.Length ? state.Manifest : new byte[size];
        visitor.Bytes("manifest", state.Manifest);
    }
}
