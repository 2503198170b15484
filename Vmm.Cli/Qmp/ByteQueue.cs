using Vmm.Core.State;

namespace Vmm.Cli.Qmp;

/// <summary>Bytes that wait: appended at the end, taken from the front.</summary>
internal struct ByteQueue : IDescribed<ByteQueue>
{
    /// <summary>The most that travels to another process.</summary>
    public const int Limit = 64 << 20;

    private byte[]? _bytes;
    private int _start;
    private int _count;

    public readonly int Count => _count;

    public readonly ReadOnlySpan<byte> Span => _bytes.AsSpan(_start, _count);

    public void Append(ReadOnlySpan<byte> more)
    {
        if (_bytes is null || _bytes.Length - _start - _count < more.Length)
        {
            // Never moved in place: a copy of this struct may be looking at the same bytes.
            byte[] target = new byte[Math.Max(1024, 2 * (_count + more.Length))];
            Span.CopyTo(target);
            _bytes = target;
            _start = 0;
        }

        more.CopyTo(_bytes.AsSpan(_start + _count));
        _count += more.Length;
    }

    public void Consume(int count)
    {
        _start += count;
        _count -= count;
        if (_count == 0)
        {
            // A rare long message does not keep its memory.
            _bytes = _bytes is { Length: > 64 << 10 } ? null : _bytes;
            _start = 0;
        }
    }

    public void Clear() => Consume(_count);

    public static string StateName => "byte-queue";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref ByteQueue state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Count("count", ref state._count, Limit);
        if (visitor.IsLoading)
        {
            state._bytes = new byte[state._count];
            state._start = 0;
        }

        visitor.Bytes("bytes", state._bytes.AsSpan(state._start, state._count));
    }
}
