using System.Buffers.Binary;
using System.Text;
using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>Bytes that come from somewhere else, read from the front; every reading is checked against their end.</summary>
public ref struct StateInput(ReadOnlySpan<byte> bytes, IReadOnlyList<FileDescriptor>? descriptors = null)
{
    private readonly ReadOnlySpan<byte> _bytes = bytes;
    private readonly IReadOnlyList<FileDescriptor> _descriptors = descriptors ?? [];
    private int _nextDescriptor;

    public int Position { get; private set; }

    public readonly int Left => _bytes.Length - Position;

    /// <summary>Open files that no row has taken.</summary>
    public readonly int DescriptorsLeft => _descriptors.Count - _nextDescriptor;

    public bool TryTake(int count, out ReadOnlySpan<byte> taken)
    {
        bool enough = count <= Left;
        taken = enough ? _bytes.Slice(Position, count) : default;
        Position += taken.Length;
        return enough;
    }

    public bool TryTakeByte(out byte value)
    {
        bool taken = TryTake(1, out ReadOnlySpan<byte> bytes);
        value = taken ? bytes[0] : default;
        return taken;
    }

    public bool TryTakeNumber(out uint value)
    {
        bool taken = TryTake(4, out ReadOnlySpan<byte> bytes);
        value = taken ? BinaryPrimitives.ReadUInt32BigEndian(bytes) : default;
        return taken;
    }

    /// <summary>One byte of length, then UTF-8.</summary>
    public bool TryTakeName(out string name)
    {
        if (TryTakeByte(out byte length) && TryTake(length, out ReadOnlySpan<byte> bytes))
        {
            name = Encoding.UTF8.GetString(bytes);
            return true;
        }

        name = "";
        return false;
    }

    /// <summary>Null when there are no more; it goes to the caller.</summary>
    public FileDescriptor? TakeDescriptor() => _nextDescriptor < _descriptors.Count ? _descriptors[_nextDescriptor++] : null;

    /// <summary>What comes next, without taking it; fewer bytes than asked for at the end.</summary>
    public readonly ReadOnlySpan<byte> Peek(int count) => _bytes.Slice(Position, Math.Min(count, Left));
}
