using System.Diagnostics;
using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>
/// A console's way out. A vCPU only appends to a ring and, when that was empty, rings a doorbell; the event loop writes to the host
/// as fast as the host takes it. So a prompt appears at once, a burst needs few system calls, and a slow reader holds up nobody. A vCPU
/// that is faster than the loop writes itself when half of the ring is full: bytes are lost only when the host takes none.
/// </summary>
/// <remarks>Locks: the drain lock belongs to whoever writes to the host; the ring's own lock is taken inside it.</remarks>
internal sealed unsafe class ConsoleOutput : IEventHandler, IDisposable
{
    public const int Capacity = 64 * 1024;

    /// <summary>PIPE_BUF: what poll(2) calls writable takes this much without blocking (pipe(7)).</summary>
    private const int ChunkSize = 4096;

    private readonly EventLoop _loop;
    private readonly EventFd _doorbell = new();
    private readonly EventRegistration _doorbellRegistration;
    private readonly OutputRing _ring = new(Capacity);
    private readonly Lock _drainLock = new();
    private readonly byte[] _chunk = new byte[ChunkSize];
    private FileDescriptor? _file;
    private EventRegistration? _writable;
    private volatile bool _blocked; // the host takes nothing; the loop waits until it does
    private bool _suspended;
    private bool _disposed;

    public ConsoleOutput(EventLoop loop)
    {
        _loop = loop;
        _doorbellRegistration = loop.Add(_doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, this);
    }

    public long DroppedBytes => _ring.DroppedBytes;

    public void Write(scoped ReadOnlySpan<byte> bytes)
    {
        if (_ring.Append(bytes, out int queued))
        {
            _doorbell.Signal();
        }

        if (queued > Capacity / 2 && !_blocked)
        {
            OnReady(ReadyEvents.None);
        }
    }

    /// <summary>
    /// Writes to this file from now on, beginning with what is queued. Keeps a descriptor of its own: epoll takes each only once, and the
    /// caller's may be watched for input.
    /// </summary>
    public void Attach(FileDescriptor file)
    {
        lock (_drainLock)
        {
            if (!_disposed)
            {
                _file = file.Duplicate();
                Drain();
            }
        }
    }

    /// <summary>Queues from now on.</summary>
    public void Detach()
    {
        lock (_drainLock)
        {
            Close();
        }
    }

    /// <summary>Writes what the host takes at once, and then nothing.</summary>
    public void Suspend()
    {
        lock (_drainLock)
        {
            Drain();
            _suspended = true;
            WatchWritable(false);
        }
    }

    public void Resume()
    {
        lock (_drainLock)
        {
            _suspended = false;
            Drain();
        }
    }

    /// <summary>What the host has not taken.</summary>
    public byte[] Save() => _ring.PeekAll();

    public void OnReady(ReadyEvents events)
    {
        lock (_drainLock)
        {
            Drain();
        }
    }

    /// <summary>Waits until all has left, at most this long.</summary>
    public void Flush(TimeSpan limit)
    {
        long start = Stopwatch.GetTimestamp();
        while (true)
        {
            lock (_drainLock)
            {
                TimeSpan left = limit - Stopwatch.GetElapsedTime(start);
                if (Drain() || _file is null || left <= TimeSpan.Zero)
                {
                    return;
                }

                pollfd poll = new() { fd = _file.Number, events = LibC.POLLOUT };
                _ = Libc.poll(&poll, 1, (int)Math.Min(left.TotalMilliseconds + 1, 100));
            }
        }
    }

    public void Dispose()
    {
        lock (_drainLock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            Close();
            _doorbellRegistration.Dispose();
            _doorbell.Dispose();
        }
    }

    /// <summary>Writes until the ring is empty (true) or the host takes no more. Under the drain lock.</summary>
    private bool Drain()
    {
        while (true)
        {
            int count = _ring.Peek(_chunk, out long position);
            if (count == 0 || _file is null || _suspended)
            {
                WatchWritable(false);
                return count == 0;
            }

            int written = WriteSome(_file, _chunk.AsSpan(0, count));
            if (written == -LibC.EAGAIN)
            {
                WatchWritable(true);
                return false;
            }

            if (written >= 0)
            {
                _ring.Consume(position + written);
            }
            else
            {
                // The reader has gone (EPIPE, EIO) or the disk is full: the bytes are lost, and counted.
                _ring.Clear();
            }
        }
    }

    /// <summary>Bytes written or -errno. Asks first, since a file shared with other processes must stay in blocking mode.</summary>
    private static int WriteSome(FileDescriptor file, ReadOnlySpan<byte> bytes)
    {
        pollfd poll = new() { fd = file.Number, events = LibC.POLLOUT };
        if (Libc.poll(&poll, 1, 0) == 0)
        {
            return -LibC.EAGAIN;
        }

        while (true)
        {
            // SAFETY: the span is pinned during the call and its length is passed.
            fixed (byte* source = bytes)
            {
                int written = (int)LibC.write(file.Number, source, bytes.Length);
                if (written >= 0 || LibC.errno != LibC.EINTR)
                {
                    return written >= 0 ? written : -LibC.errno;
                }
            }
        }
    }

    private void Close()
    {
        WatchWritable(false);
        _file?.Dispose();
        _file = null;
    }

    private void WatchWritable(bool watch)
    {
        _blocked = watch;
        if (watch && _file is not null && !_disposed)
        {
            _writable ??= _loop.Add(_file, ReadyEvents.Out, this);
        }
        else
        {
            _writable?.Dispose();
            _writable = null;
        }
    }
}
