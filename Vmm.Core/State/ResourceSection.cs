namespace Vmm.Core.State;

/// <summary>
/// A section of what a machine is built around, rather than of its state: its owner makes it with the value, its receiver without, and
/// finds the value in it when it has been loaded.
/// </summary>
public sealed class ResourceSection<T>(string name, T value = default) : StateSection<T>(name, version: 1) where T : struct, IDescribed<T>
{
    private T _value = value;

    public ref T Value => ref _value;

    protected override ref T Collect() => ref _value;

    protected override T Prepare() => default;

    protected override void Apply(ref T state) => _value = state;
}
