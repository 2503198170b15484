using Vmm.Core.State;
using Vmm.Migration.Tests.Conformance;

namespace Vmm.Migration.Tests.Stream;

/// <summary>A section of a struct that no device has.</summary>
internal sealed class FixedSection<T>(string name, T state, int version = 1, int instance = 0) : StateSection<T>(name, version, 1, instance)
    where T : struct, IDescribed<T>
{
    private T _state = state;

    public bool Applied { get; private set; }

    /// <summary>The state, written once more.</summary>
    public byte[] Bytes => DescribedType.Bytes(ref _state).Written.ToArray();

    protected override ref T Collect() => ref _state;

    protected override T Prepare() => DescribedType.Empty<T>();

    protected override void Apply(ref T state)
    {
        _state = state;
        Applied = true;
    }
}
