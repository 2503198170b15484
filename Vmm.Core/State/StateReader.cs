using System.Buffers.Binary;
using System.Text;
using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>Fills in one section's body from bytes that nobody vouches for.</summary>
public ref struct StateReader : IStateVisitor
{
    private StateInput _input;
    private StatePath _path;
    private int _version;

    private StateReader(StateInput input, string section, int version)
    {
        _input = input;
        _path = new StatePath(section);
        _version = version;
    }

    public readonly int Version => _version;

    public readonly bool IsLoading => true;

    /// <summary>Fills in the rows that a writer of <paramref name="version"/> has written.</summary>
    /// <param name="input">Stands after the body when this returns.</param>
    /// <param name="section">The section's name, for messages.</param>
    /// <param name="state">As the machine begins with; rows that are not in the stream stay. Worth nothing after an exception.</param>
    /// <exception cref="StateException">The bytes are no such state.</exception>
    public static void Read<T>(ref StateInput input, string section, int version, scoped ref T state) where T : IDescribed<T>
    {
        StateReader reader = new(input, section, version);
        reader.Visit(ref state, T.StateName);
        input = reader._input;
    }

    public void Field<T>(string name, scoped ref T value, int since = 1) where T : unmanaged
    {
        if (since <= _version)
        {
            value = Number<T>(name, -1);
        }
    }

    public void Each<T>(string name, scoped Span<T> values, int since = 1) where T : unmanaged
    {
        if (since <= _version)
        {
            for (int i = 0; i < values.Length; i++)
            {
                values[i] = Number<T>(name, i);
            }
        }
    }

    public void Bytes(string name, scoped Span<byte> value, int since = 1)
    {
        if (since <= _version)
        {
            Take(name, value.Length).CopyTo(value);
        }
    }

    public void Count(string name, scoped ref int count, int limit, int since = 1)
    {
        if (since > _version)
        {
            return;
        }

        int found = Number<int>(name, -1);
        count = found >= 0 && found <= limit ? found : throw _path.Error(name, $"{found} is not 0 to {limit}");
    }

    public void Struct<T>(string name, scoped ref T value, int since = 1) where T : IDescribed<T>
    {
        if (since <= _version)
        {
            _path.Push(name);
            Visit(ref value, T.StateName);
            _path.Pop();
        }
    }

    public void Structs<T>(string name, scoped Span<T> values, int since = 1) where T : IDescribed<T>
    {
        if (since > _version)
        {
            return;
        }

        for (int i = 0; i < values.Length; i++)
        {
            _path.Push(name, i);
            Visit(ref values[i], T.StateName);
            _path.Pop();
        }
    }

    public void Subsection<T>(string name, int version, int minimum, bool needed, scoped ref T value) where T : IDescribed<T>
    {
        if (!NextSubsectionIs(name, whole: true))
        {
            return;
        }

        _path.Push(name);
        _ = _input.TryTake(2 + Encoding.UTF8.GetByteCount(name), out _);
        uint found = BinaryPrimitives.ReadUInt32BigEndian(Take("version", sizeof(uint)));
        if (found < minimum || found > version)
        {
            throw _path.Error("version", $"{found}, where this program reads {minimum} to {version}");
        }

        int outer = _version;
        _version = (int)found;
        Visit(ref value, name);
        _version = outer;
        _path.Pop();
    }

    public void Descriptor(string name, scoped ref FileDescriptor? file, int since = 1)
    {
        if (since > _version)
        {
            return;
        }

        byte marker = Take(name, 1)[0];
        if (marker != StateMarker.Descriptor)
        {
            throw _path.Error(name, $"byte 0x{marker:x2} where 0x{StateMarker.Descriptor:x2} stands for an open file");
        }

        file = _input.TakeDescriptor() ?? throw _path.Error(name, "the open file did not come with the stream");
    }

    private void Visit<T>(scoped ref T value, string name) where T : IDescribed<T>
    {
        T.Describe(ref this, ref value);
        if (NextSubsectionIs(name, whole: false))
        {
            _ = _input.TryTakeByte(out _);
            _ = _input.TryTakeName(out string unknown);
            throw _path.Error(unknown, "this subsection is unknown here, out of order, or there twice");
        }

        if (T.PostLoad(ref value) is { } reason)
        {
            throw _path.Error("", reason);
        }
    }

    /// <summary>Whether a subsection of this name, or with <paramref name="whole"/> false of any name below it, comes next.</summary>
    private readonly bool NextSubsectionIs(string name, bool whole)
    {
        ReadOnlySpan<byte> next = _input.Peek(2 + byte.MaxValue);
        if (next.Length < 2 || next[0] != StateMarker.Subsection || next.Length < 2 + next[1])
        {
            return false;
        }

        ReadOnlySpan<byte> found = next.Slice(2, next[1]);
        Span<byte> wanted = stackalloc byte[byte.MaxValue + 1];
        int length = Encoding.UTF8.GetBytes(name, wanted);
        return whole
            ? found.SequenceEqual(wanted[..length])
            : found.Length > length && found[length] == (byte)'/' && found.StartsWith(wanted[..length]);
    }

    private T Number<T>(string name, int index) where T : unmanaged
    {
        ReadOnlySpan<byte> bytes = Take(name, StateNumber<T>.Size, index);
        return StateNumber<T>.TryRead(bytes, out T value)
            ? value
            : throw _path.Error(name, $"{bytes[0]} is no {StateNumber<T>.TypeName}", index);
    }

    private ReadOnlySpan<byte> Take(string name, int count, int index = -1)
    {
        int left = _input.Left;
        return _input.TryTake(count, out ReadOnlySpan<byte> taken)
            ? taken
            : throw _path.Error(name, $"the stream ends after {left} of {count} bytes", index);
    }
}
