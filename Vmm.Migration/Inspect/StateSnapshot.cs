using System.Text.Json.Nodes;
using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Inspect;

/// <summary>The state of some sections at one moment, kept as the stream that a migration would send, with its description.</summary>
public sealed class StateSnapshot
{
    private readonly byte[] _stream;

    private StateSnapshot(byte[] stream) => _stream = stream;

    /// <summary>Saves the sections, which are paused.</summary>
    /// <param name="machine">The machine's name.</param>
    /// <param name="sections">In the order of the stream.</param>
    public static StateSnapshot Take(string machine, IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        SectionWriter.Write(buffer, machine, sections);
        StreamDescription.Append(buffer, machine, sections);
        return new StateSnapshot(buffer.Written.ToArray());
    }

    /// <summary>See <see cref="StreamInspector.Read"/>.</summary>
    public JsonObject Read()
    {
        using MemoryStream stream = new(_stream, writable: false);
        return StreamInspector.Read(stream);
    }
}
