using System.Buffers.Binary;
using System.Text;
using Vmm.Core.State;

namespace Vmm.Migration.Inspect;

/// <summary>A stream in a file, read from the front.</summary>
internal sealed class StreamFile(System.IO.Stream file)
{
    private readonly long _length = file.Length;

    public long Position => file.Position;

    public long Length => _length;

    public long Left => _length - file.Position;

    /// <exception cref="StateException">The file ends before.</exception>
    public byte[] Take(long count, string what)
    {
        Require(count, what);
        byte[] bytes = new byte[count];
        file.ReadExactly(bytes);
        return bytes;
    }

    public void Skip(long count, string what)
    {
        Require(count, what);
        file.Position += count;
    }

    public byte TakeByte(string what) => Take(1, what)[0];

    public ushort TakeUInt16(string what) => BinaryPrimitives.ReadUInt16BigEndian(Take(2, what));

    public uint TakeUInt32(string what) => BinaryPrimitives.ReadUInt32BigEndian(Take(4, what));

    public ulong TakeUInt64(string what) => BinaryPrimitives.ReadUInt64BigEndian(Take(8, what));

    /// <summary>One byte of length, then UTF-8.</summary>
    public string TakeName(string what) => Encoding.UTF8.GetString(Take(TakeByte(what), what));

    /// <summary>The last bytes, without moving.</summary>
    public byte[] Tail(int most)
    {
        long position = file.Position;
        byte[] tail = new byte[Math.Min(most, _length)];
        file.Position = _length - tail.Length;
        file.ReadExactly(tail);
        file.Position = position;
        return tail;
    }

    private void Require(long count, string what)
    {
        if (count < 0 || count > Left)
        {
            throw new StateException(what, $"the file ends at byte {_length}, where {count} bytes from byte {Position} on are expected");
        }
    }
}
