using System.Text.Json;

namespace Vmm.Core.State;

/// <summary>
/// A part of the machine that has a section of its own in a stream.
/// </summary>
/// <remarks>
/// The machine is paused during all of this. A load has two steps, so that nothing is acted on before everything has been read and
/// found to be good: <see cref="Load"/> of all sections, then <see cref="Apply"/> of all sections, which changes the machine and fails
/// only if the host does.
/// </remarks>
public interface IStateSection
{
    /// <summary>Who it belongs to and what it is: <c>net0/virtio-net</c>. Unique together with <see cref="Instance"/>.</summary>
    string Name { get; }

    /// <summary>0, or which one of many alike: the vCPU's index.</summary>
    int Instance { get; }

    /// <summary>The name of the struct that is described.</summary>
    string StateName { get; }

    /// <summary>The version that is written unless the reader wants an older one.</summary>
    int Version { get; }

    /// <summary>The oldest version that is read, and written.</summary>
    int MinimumVersion { get; }

    /// <summary>It stands still when a pause is prepared, before the guest does, so in a local migration it goes ahead of the rest.</summary>
    bool GoesAhead => false;

    void Save(StateBuffer buffer, int version);

    /// <exception cref="StateException">The bytes are no such state, or one that does not fit this machine.</exception>
    void Load(ref StateInput input, int version);

    /// <summary>Makes what was loaded the state of the machine.</summary>
    void Apply();

    /// <summary>Writes the members that describe what <see cref="Save"/> writes into the object that is open.</summary>
    /// <param name="every">Also the subsections that the present state does not have.</param>
    void WriteSchema(Utf8JsonWriter json, int version, bool every = false);
}
