using System.Buffers.Binary;
using System.Text;
using Vmm.Core.Linux;

namespace Vmm.Core.State;

/// <summary>Where a state is written to: bytes in one piece, and the open files that travel beside them. Kept and used again.</summary>
public sealed class StateBuffer(int capacity = 64 << 10)
{
    private readonly List<FileDescriptor> _descriptors = [];
    private byte[] _bytes = GC.AllocateUninitializedArray<byte>(capacity, pinned: true);

    /// <summary>Touches all of its memory, so that nothing has to be found for it when time is short.</summary>
    public void Prefault() => _bytes.AsSpan().Clear();

    public int Length { get; private set; }

    public Span<byte> Written => _bytes.AsSpan(0, Length);

    /// <summary>The open files in the order of their places in the bytes; they stay their owners'.</summary>
    public IReadOnlyList<FileDescriptor> Descriptors => _descriptors;

    public void Clear()
    {
        Length = 0;
        _descriptors.Clear();
    }

    /// <summary>The next <paramref name="count"/> bytes, to be filled in by the caller.</summary>
    public Span<byte> Take(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Grow(count);
        }

        Length += count;
        return _bytes.AsSpan(Length - count, count);
    }

    public void Byte(byte value) => Take(1)[0] = value;

    public void Number(ushort value) => BinaryPrimitives.WriteUInt16BigEndian(Take(2), value);

    public void Number(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(4), value);

    public void Number(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(8), value);

    public void Bytes(scoped ReadOnlySpan<byte> value) => value.CopyTo(Take(value.Length));

    /// <summary>One byte of length, then UTF-8.</summary>
    public void Name(string value)
    {
        Byte(checked((byte)Encoding.UTF8.GetByteCount(value)));
        Encoding.UTF8.GetBytes(value, Take(Encoding.UTF8.GetByteCount(value)));
    }

    public void Descriptor(FileDescriptor file)
    {
        Byte(StateMarker.Descriptor);
        _descriptors.Add(file);
    }

    private void Grow(int count)
    {
        byte[] larger = GC.AllocateUninitializedArray<byte>(Math.Max(_bytes.Length * 2, Length + count), pinned: true);
        Written.CopyTo(larger);
        _bytes = larger;
    }
}
