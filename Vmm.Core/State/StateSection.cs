using System.Text.Json;

namespace Vmm.Core.State;

/// <summary>A section whose body is one described struct.</summary>
public abstract class StateSection<T> : IStateSection where T : struct, IDescribed<T>
{
    private T _staged;

    /// <param name="name">See <see cref="IStateSection.Name"/>.</param>
    /// <param name="version">See <see cref="IStateSection.Version"/>.</param>
    /// <param name="minimumVersion">See <see cref="IStateSection.MinimumVersion"/>.</param>
    /// <param name="instance">See <see cref="IStateSection.Instance"/>.</param>
    protected StateSection(string name, int version, int minimumVersion = 1, int instance = 0)
    {
        Name = name;
        Version = version;
        MinimumVersion = minimumVersion;
        Instance = instance;
    }

    /// <param name="name">See <see cref="IStateSection.Name"/>.</param>
    /// <param name="kind">Its versions.</param>
    /// <param name="instance">See <see cref="IStateSection.Instance"/>.</param>
    protected StateSection(string name, StateKind<T> kind, int instance = 0) : this(name, kind.Version, kind.MinimumVersion, instance)
    {
    }

    public string Name { get; }

    public int Instance { get; }

    public string StateName => T.StateName;

    public int Version { get; }

    public int MinimumVersion { get; }

    public virtual bool GoesAhead => false;

    /// <summary>For messages: <c>cpu[1]</c>.</summary>
    public override string ToString() => Instance == 0 ? Name : $"{Name}[{Instance}]";

    public void Save(StateBuffer buffer, int version) => StateWriter.Write(buffer, version, ref Collect());

    public void Load(ref StateInput input, int version)
    {
        _staged = Prepare();
        StateReader.Read(ref input, ToString(), version, ref _staged);
        if (Check(in _staged) is { } reason)
        {
            throw new StateException(ToString(), reason);
        }
    }

    public void Apply() => Apply(ref _staged);

    public void WriteSchema(Utf8JsonWriter json, int version, bool every = false) => StateSchema.Write(json, version, ref Collect(), every);

    /// <summary>The state as it is now: the very struct that the device runs on, or a copy of it.</summary>
    protected abstract ref T Collect();

    /// <summary>The struct as it is before it is loaded, with room for everything; not the one that the device runs on.</summary>
    protected abstract T Prepare();

    /// <summary>Whether a state that is good in itself fits this machine: null, or a clause that says why not.</summary>
    protected virtual string? Check(in T state) => null;

    /// <summary>Takes over what was loaded.</summary>
    protected abstract void Apply(ref T state);
}
