namespace Vmm.Core.Consoles;

/// <summary>
/// The last bytes written to a console that the host has not read. Any thread appends; when it is full the oldest bytes go.
/// </summary>
/// <remarks>
/// Protocol: one consumer at a time peeks a copy, writes it to the host without the lock, and then says how far it came. Positions
/// only grow, so what was overwritten meanwhile is not counted twice.
/// </remarks>
internal sealed class OutputRing(int capacity)
{
    private readonly byte[] _bytes = new byte[capacity];
    private readonly Lock _lock = new();
    private long _head; // the position after the last byte written
    private long _tail; // the position of the oldest byte that is kept
    private long _dropped;

    public long DroppedBytes
    {
        get
        {
            lock (_lock)
            {
                return _dropped;
            }
        }
    }

    /// <summary>Appends; true when the ring was empty before, so that a consumer has to be woken.</summary>
    /// <param name="bytes">The newest bytes.</param>
    /// <param name="queued">How many bytes are in the ring now.</param>
    public bool Append(scoped ReadOnlySpan<byte> bytes, out int queued)
    {
        lock (_lock)
        {
            bool wasEmpty = _head == _tail;
            long start = _head;
            _head += bytes.Length;
            Advance(_head - _bytes.Length);
            int skipped = (int)Math.Max(0, _tail - start);
            for (int i = skipped; i < bytes.Length; i++)
            {
                _bytes[(start + i) % _bytes.Length] = bytes[i];
            }

            queued = (int)(_head - _tail);
            return wasEmpty && bytes.Length > 0;
        }
    }

    /// <summary>Copies the oldest bytes and tells their position.</summary>
    public int Peek(scoped Span<byte> target, out long position)
    {
        lock (_lock)
        {
            position = _tail;
            int count = (int)Math.Min(target.Length, _head - _tail);
            int index = (int)(_tail % _bytes.Length);
            int first = Math.Min(count, _bytes.Length - index);
            _bytes.AsSpan(index, first).CopyTo(target);
            _bytes.AsSpan(0, count - first).CopyTo(target[first..]);
            return count;
        }
    }

    /// <summary>A copy of all bytes.</summary>
    public byte[] PeekAll()
    {
        lock (_lock)
        {
            byte[] all = new byte[_head - _tail];
            Peek(all, out _);
            return all;
        }
    }

    /// <summary>What lies before <paramref name="position"/> has left.</summary>
    public void Consume(long position)
    {
        lock (_lock)
        {
            _tail = Math.Max(_tail, position);
        }
    }

    /// <summary>Drops everything.</summary>
    public void Clear()
    {
        lock (_lock)
        {
            Advance(_head);
        }
    }

    private void Advance(long position)
    {
        if (position > _tail)
        {
            _dropped += position - _tail;
            _tail = position;
        }
    }
}
