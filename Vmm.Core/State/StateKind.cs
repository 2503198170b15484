using System.Text.Json;

namespace Vmm.Core.State;

/// <summary>A kind of section: which struct is its body, and which versions of it this program reads and writes.</summary>
public abstract class StateKind
{
    private protected StateKind(string name, int version, int minimumVersion)
    {
        Name = name;
        Version = version;
        MinimumVersion = minimumVersion;
    }

    /// <summary>The struct's name: see <see cref="IStateSection.StateName"/>.</summary>
    public string Name { get; }

    /// <summary>See <see cref="IStateSection.Version"/>.</summary>
    public int Version { get; }

    /// <summary>See <see cref="IStateSection.MinimumVersion"/>.</summary>
    public int MinimumVersion { get; }

    /// <summary>
    /// Writes the members that describe the present version with all its subsections into the object that is open. Of what there may be any
    /// number of, there is one.
    /// </summary>
    public abstract void WriteSchema(Utf8JsonWriter json);
}

/// <inheritdoc/>
/// <param name="version">See <see cref="IStateSection.Version"/>.</param>
/// <param name="minimumVersion">See <see cref="IStateSection.MinimumVersion"/>.</param>
/// <param name="example">A state with one element in each list; null when it has no lists.</param>
public sealed class StateKind<T>(int version, int minimumVersion = 1, Func<T>? example = null) : StateKind(T.StateName, version, minimumVersion)
    where T : struct, IDescribed<T>
{
    public override void WriteSchema(Utf8JsonWriter json)
    {
        T state = example?.Invoke() ?? default;
        StateSchema.Write(json, Version, ref state, every: true);
    }
}
