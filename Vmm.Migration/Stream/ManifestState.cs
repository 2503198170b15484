using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>The first section of a stream with RAM: all that a destination has to know before it can build the machine.</summary>
internal struct ManifestState : IDescribed<ManifestState>
{
    /// <summary>More than any manifest has.</summary>
    public const int MaxSize = 512 << 10;

    /// <summary>A <see cref="Live.Manifest"/>, as JSON.</summary>
    public byte[]? Json;

    public static string StateName => "manifest";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref ManifestState state) where TVisitor : IStateVisitor, allows ref struct
    {
        int size = state.Json?.Length ?? 0;
        visitor.Count("size", ref size, MaxSize);
        state.Json = size == state.Json?.Length ? state.Json : new byte[size];
        visitor.Bytes("json", state.Json);
    }
}
