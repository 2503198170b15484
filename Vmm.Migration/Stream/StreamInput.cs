using System.Buffers.Binary;
using System.Text;
using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>Reads in large pieces and hands out small ones. What is there too early or not at all is a <see cref="StateException"/>.</summary>
internal sealed class StreamInput(System.IO.Stream source)
{
    private readonly byte[] _buffer = GC.AllocateUninitializedArray<byte>(1 << 20);
    private int _start;
    private int _end;

    /// <summary>The next bytes, which stay until the next call; no more than the buffer holds.</summary>
    /// <param name="what">Section and field, for the message.</param>
    public ReadOnlySpan<byte> Take(int count, string what)
    {
        while (_end - _start < count)
        {
            Fill(count, what);
        }

        _start += count;
        return _buffer.AsSpan(_start - count, count);
    }

    /// <summary>A 32-bit number that is taken later.</summary>
    public uint PeekNumber(string what)
    {
        uint value = TakeNumber(what);
        _start -= sizeof(uint);
        return value;
    }

    public byte TakeByte(string what) => Take(1, what)[0];

    public uint TakeNumber(string what) => BinaryPrimitives.ReadUInt32BigEndian(Take(sizeof(uint), what));

    public ulong TakeLongNumber(string what) => BinaryPrimitives.ReadUInt64BigEndian(Take(sizeof(ulong), what));

    /// <summary>One byte of length, then UTF-8.</summary>
    public string TakeName(string what) => Encoding.UTF8.GetString(Take(TakeByte(what), what));

    /// <summary>Any number of bytes, into a buffer that grows as they come.</summary>
    public byte[] TakeAll(uint count, string what)
    {
        using MemoryStream all = new();
        while (all.Length < count)
        {
            all.Write(Take((int)Math.Min(count - all.Length, _buffer.Length), what));
        }

        return all.ToArray();
    }

    /// <summary>True when nothing follows. On a channel whose writer waits for an answer, this would wait for ever.</summary>
    public bool IsAtEnd() => _start == _end && source.Read(_buffer) == 0;

    /// <summary>True when no more was read than was taken.</summary>
    public bool IsEmpty => _start == _end;

    private void Fill(int wanted, string what)
    {
        _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
        _end -= _start;
        _start = 0;
        int read = source.Read(_buffer.AsSpan(_end));
        _end += read > 0 ? read : throw new StateException(what, $"the stream ends after {_end} of {wanted} bytes");
    }
}
