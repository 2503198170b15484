using System.Text.Json;
using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>Writes a description as JSON, in the form that QEMU puts at the end of its streams: name, version, fields, subsections.</summary>
/// <remarks>
/// Sizes are bytes on the wire. An array of numbers is one entry with <c>array_len</c>; an array of structs is one entry each, with
/// <c>index</c>, since each may have other subsections. An open file has size 1, its mark in the stream.
/// </remarks>
public ref struct StateSchema : IStateVisitor
{
    private readonly Utf8JsonWriter _json;
    private readonly bool _every;
    private string _name;
    private int _version;
    private bool _inSubsections;

    private StateSchema(Utf8JsonWriter json, string name, int version, bool every)
    {
        _json = json;
        _name = name;
        _version = version;
        _every = every;
    }

    public readonly int Version => _version;

    public readonly bool IsLoading => false;

    /// <summary>Writes the members <c>vmsd_name</c>, <c>version</c>, <c>fields</c> and <c>subsections</c> into the object that is open.</summary>
    /// <param name="json">Stands inside an object.</param>
    /// <param name="version">The version of the section.</param>
    /// <param name="state">Decides about lengths and subsections.</param>
    /// <param name="every">All subsections, not only those that this state has.</param>
    public static void Write<T>(Utf8JsonWriter json, int version, scoped ref T state, bool every = false) where T : IDescribed<T>
    {
        StateSchema schema = new(json, T.StateName, version, every);
        schema.Visit(T.StateName, version, ref state);
    }

    public void Field<T>(string name, scoped ref T value, int since = 1) where T : unmanaged
    {
        if (Begin(name, StateNumber<T>.TypeName, StateNumber<T>.Size, since))
        {
            _json.WriteEndObject();
        }
    }

    public void Each<T>(string name, scoped Span<T> values, int since = 1) where T : unmanaged
    {
        if (values.Length > 0 && Begin(name, StateNumber<T>.TypeName, StateNumber<T>.Size, since))
        {
            _json.WriteNumber("array_len", values.Length);
            _json.WriteEndObject();
        }
    }

    public void Bytes(string name, scoped Span<byte> value, int since = 1)
    {
        if (value.Length > 0 && Begin(name, "buffer", value.Length, since))
        {
            _json.WriteEndObject();
        }
    }

    public void Count(string name, scoped ref int count, int limit, int since = 1) => Field(name, ref count, since);

    public void Struct<T>(string name, scoped ref T value, int since = 1) where T : IDescribed<T> => One(name, -1, ref value, since);

    public void Structs<T>(string name, scoped Span<T> values, int since = 1) where T : IDescribed<T>
    {
        for (int i = 0; i < values.Length; i++)
        {
            One(name, i, ref values[i], since);
        }
    }

    public void Subsection<T>(string name, int version, int minimum, bool needed, scoped ref T value) where T : IDescribed<T>
    {
        if (!name.StartsWith(_name + "/", StringComparison.Ordinal))
        {
            throw new InvalidOperationException($"The subsection {name} belongs to {_name}, so its name has to begin with {_name}/.");
        }

        if (!needed && !_every)
        {
            return;
        }

        if (!_inSubsections)
        {
            _inSubsections = true;
            _json.WriteEndArray();
            _json.WriteStartArray("subsections");
        }

        _json.WriteStartObject();
        Visit(name, version, ref value);
        _json.WriteEndObject();
    }

    public void Descriptor(string name, scoped ref FileDescriptor? file, int since = 1)
    {
        if (Begin(name, "fd", 1, since))
        {
            _json.WriteEndObject();
        }
    }

    private void One<T>(string name, int index, scoped ref T value, int since) where T : IDescribed<T>
    {
        if (!Begin(name, "struct", WireSize(ref value), since))
        {
            return;
        }

        if (index >= 0)
        {
            _json.WriteNumber("index", index);
        }

        _json.WriteStartObject("struct");
        Visit(T.StateName, _version, ref value);
        _json.WriteEndObject();
        _json.WriteEndObject();
    }

    private readonly bool Begin(string name, string type, int size, int since)
    {
        if (_inSubsections)
        {
            throw new InvalidOperationException($"{_name}: the row {name} comes after a subsection; subsections are last on the wire.");
        }

        if (since > _version)
        {
            return false;
        }

        _json.WriteStartObject();
        _json.WriteString("name", name);
        _json.WriteString("type", type);
        _json.WriteNumber("size", size);
        return true;
    }

    private void Visit<T>(string name, int version, scoped ref T value) where T : IDescribed<T>
    {
        (string outerName, int outerVersion, bool outerInSubsections) = (_name, _version, _inSubsections);
        (_name, _version, _inSubsections) = (name, version, false);
        _json.WriteString("vmsd_name", name);
        _json.WriteNumber("version", version);
        _json.WriteStartArray("fields");
        T.PreSave(ref value);
        T.Describe(ref this, ref value);
        _json.WriteEndArray();
        (_name, _version, _inSubsections) = (outerName, outerVersion, outerInSubsections);
    }

    /// <summary>Only printed: readers of the JSON go into the struct.</summary>
    private readonly int WireSize<T>(scoped ref T value) where T : IDescribed<T>
    {
        StateBuffer buffer = new();
        StateWriter.Write(buffer, _version, ref value);
        return buffer.Length;
    }
}
