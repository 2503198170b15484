using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>Writes one section's body into a <see cref="StateBuffer"/>.</summary>
public ref struct StateWriter : IStateVisitor
{
    private readonly StateBuffer _buffer;
    private int _version;

    private StateWriter(StateBuffer buffer, int version)
    {
        _buffer = buffer;
        _version = version;
    }

    public readonly int Version => _version;

    public readonly bool IsLoading => false;

    /// <summary>Writes <paramref name="state"/> as a reader of <paramref name="version"/> expects it.</summary>
    public static void Write<T>(StateBuffer buffer, int version, scoped ref T state) where T : IDescribed<T>
    {
        StateWriter writer = new(buffer, version);
        writer.Visit(ref state);
    }

    public readonly void Field<T>(string name, scoped ref T value, int since = 1) where T : unmanaged
    {
        if (since <= _version)
        {
            StateNumber<T>.Write(_buffer.Take(StateNumber<T>.Size), value);
        }
    }

    public readonly void Each<T>(string name, scoped Span<T> values, int since = 1) where T : unmanaged
    {
        if (since <= _version)
        {
            foreach (T value in values)
            {
                StateNumber<T>.Write(_buffer.Take(StateNumber<T>.Size), value);
            }
        }
    }

    public readonly void Bytes(string name, scoped Span<byte> value, int since = 1)
    {
        if (since <= _version)
        {
            _buffer.Bytes(value);
        }
    }

    public readonly void Count(string name, scoped ref int count, int limit, int since = 1) => Field(name, ref count, since);

    public void Struct<T>(string name, scoped ref T value, int since = 1) where T : IDescribed<T>
    {
        if (since <= _version)
        {
            Visit(ref value);
        }
    }

    public void Structs<T>(string name, scoped Span<T> values, int since = 1) where T : IDescribed<T>
    {
        if (since <= _version)
        {
            foreach (ref T value in values)
            {
                Visit(ref value);
            }
        }
    }

    public void Subsection<T>(string name, int version, int minimum, bool needed, scoped ref T value) where T : IDescribed<T>
    {
        if (needed)
        {
            _buffer.Byte(StateMarker.Subsection);
            _buffer.Name(name);
            _buffer.Number((uint)version);
            int outer = _version;
            _version = version;
            Visit(ref value);
            _version = outer;
        }
    }

    public readonly void Descriptor(string name, scoped ref FileDescriptor? file, int since = 1)
    {
        if (since <= _version)
        {
            _buffer.Descriptor(file ?? throw new InvalidOperationException($"{name} is not open, so it can't be saved."));
        }
    }

    private void Visit<T>(scoped ref T value) where T : IDescribed<T>
    {
        T.PreSave(ref value);
        T.Describe(ref this, ref value);
    }
}
