using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>A section of the stream's own; named after its struct.</summary>
internal sealed class StreamSection<T>(StateKind<T> kind, T value = default) : StateSection<T>(kind.Name, kind) where T : struct, IDescribed<T>
{
    private T _value = value;

    public ref T Value => ref _value;

    protected override ref T Collect() => ref _value;

    protected override T Prepare() => default;

    protected override void Apply(ref T state) => _value = state;
}
