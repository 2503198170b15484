using System.Buffers.Binary;
using System.Text;

namespace Vmm.Migration.Stream;

/// <summary>Gathers what is written and passes it on in large pieces.</summary>
internal sealed class StreamOutput(System.IO.Stream target)
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(1 << 20);
    private int _length;

    /// <summary>Bytes written, those that are still here included.</summary>
    public long Position { get; private set; }

    public void Byte(byte value) => Take(1)[0] = value;

    public void Number(uint value) => BinaryPrimitives.WriteUInt32BigEndian(Take(sizeof(uint)), value);

    public void Number(ulong value) => BinaryPrimitives.WriteUInt64BigEndian(Take(sizeof(ulong)), value);

    /// <summary>One byte of length, then UTF-8.</summary>
    public void Name(string value)
    {
        Byte(checked((byte)Encoding.UTF8.GetByteCount(value)));
        Encoding.UTF8.GetBytes(value, Take(Encoding.UTF8.GetByteCount(value)));
    }

    public void Bytes(ReadOnlySpan<byte> value)
    {
        if (value.Length <= StreamFormat.PageSize)
        {
            value.CopyTo(Take(value.Length));
            return;
        }

        Flush();
        target.Write(value);
        Position += value.Length;
    }

    public void Flush()
    {
        target.Write(_buffer.AsSpan(0, _length));
        _length = 0;
    }

    private Span<byte> Take(int count)
    {
        if (count > _buffer.Length - _length)
        {
            Flush();
        }

        _length += count;
        Position += count;
        return _buffer.AsSpan(_length - count, count);
    }
}
