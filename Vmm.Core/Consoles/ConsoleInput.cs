using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>
/// A console's way in: reads what the host types and gives it to the guest's receiver, and stops reading while that has no room.
/// </summary>
/// <remarks>
/// <code>
/// reading --receiver is full--> paused --Resume--> reading
/// reading --end of file--> ended
/// any state --the client has hung up (sockets)--> detached
/// </code>
/// Resume only rings a doorbell, which keeps: it can't be lost between the receiver's refusal and the pause. Locks: ours first, then the receiver's.
/// </remarks>
internal sealed unsafe class ConsoleInput : IEventHandler, IDisposable
{
    /// <summary>The most bytes that wait for the guest.</summary>
    public const int Capacity = 4096;

    private readonly EventLoop _loop;
    private readonly ConsoleEscapes? _escapes;
    private readonly Action? _hangUp;
    private readonly EventFd _doorbell = new();
    private readonly EventRegistration _doorbellRegistration;
    private readonly Lock _lock = new();
    private readonly byte[] _buffer = new byte[Capacity];
    private IConsoleReceiver? _receiver;
    private FileDescriptor? _file;
    private EventRegistration? _watch;
    private ReadyEvents _watched;
    private int _start; // of the bytes in _buffer that the receiver has not taken
    private int _end;
    private bool _endOfFile;
    private bool _suspended;
    private bool _disposed;

    /// <param name="loop">Where it runs.</param>
    /// <param name="escapes">For a person's terminal; null passes every byte through.</param>
    /// <param name="hangUp">For a socket: called under the lock when the client has gone. Without it the end of file is the end.</param>
    public ConsoleInput(EventLoop loop, ConsoleEscapes? escapes = null, Action? hangUp = null)
    {
        _loop = loop;
        _escapes = escapes;
        _hangUp = hangUp;
        _doorbellRegistration = loop.Add(_doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, new Doorbell(this));
    }

    /// <summary>Begins to deliver.</summary>
    public void Start(IConsoleReceiver receiver)
    {
        lock (_lock)
        {
            _receiver = receiver;
            if (!_disposed)
            {
                _doorbell.Signal();
            }
        }
    }

    /// <summary>Reads from this file from now on. The caller keeps it open until <see cref="Detach"/>.</summary>
    public void Attach(FileDescriptor file)
    {
        lock (_lock)
        {
            if (!_disposed)
            {
                _file = file;
                _endOfFile = false;
                _doorbell.Signal();
            }
        }
    }

    public void Detach()
    {
        lock (_lock)
        {
            Unwatch();
            _file = null;
        }
    }

    /// <summary>From its return on nothing is read.</summary>
    public void Suspend()
    {
        lock (_lock)
        {
            _suspended = true;
            Unwatch();
        }
    }

    /// <summary>Goes on after <see cref="Suspend"/>.</summary>
    public void Unsuspend()
    {
        lock (_lock)
        {
            _suspended = false;
            _doorbell.Signal();
        }
    }

    /// <summary>What the receiver has not taken.</summary>
    public byte[] Save()
    {
        lock (_lock)
        {
            return _buffer[_start.._end];
        }
    }

    /// <summary>The receiver has room again. Takes no lock: the receiver holds its own.</summary>
    public void Resume() => _doorbell.Signal();

    public void OnReady(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_suspended)
            {
                return;
            }

            bool reading = (_watched & ReadyEvents.In) != 0;
            if (!reading && (events & (ReadyEvents.HangUp | ReadyEvents.Error)) != 0)
            {
                OnHangUp();
            }

            Pump();
        }
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            Unwatch();
            _file = null;
            _doorbellRegistration.Dispose();
            _doorbell.Dispose();
        }
    }

    /// <summary>Moves bytes until the host has none, or the receiver takes none. Under the lock.</summary>
    private void Pump()
    {
        while (!_disposed && !_suspended && _receiver is not null)
        {
            if (_start < _end)
            {
                _start += _receiver.Receive(_buffer.AsSpan(_start, _end - _start));
            }

            if (_start < _end)
            {
                // A hang-up is reported even then; what can't hang up is not watched at all.
                Watch(_hangUp is null ? null : ReadyEvents.None);
                return;
            }

            _start = _end = 0;
            if (_file is null || _endOfFile || !Fill(_file))
            {
                Watch(_file is null || (_endOfFile && _hangUp is null) ? null : _endOfFile ? ReadyEvents.None : ReadyEvents.In);
                return;
            }
        }
    }

    /// <summary>Appends what can be read without blocking; false when there is nothing, for now or for ever.</summary>
    private bool Fill(FileDescriptor file)
    {
        pollfd poll = new() { fd = file.Number, events = LibC.POLLIN };
        if (_end == _buffer.Length || Libc.poll(&poll, 1, 0) <= 0)
        {
            return false;
        }

        int count;
        // SAFETY: the rest of the buffer is pinned during the call and its length is passed.
        fixed (byte* target = &_buffer[_end])
        {
            count = (int)LibC.read(file.Number, target, _buffer.Length - _end);
        }

        if (count > 0)
        {
            _end += _escapes is null ? count : _escapes.Filter(_buffer.AsSpan(_end, count));
            return true;
        }

        int errno = LibC.errno;
        _endOfFile = count == 0 || (errno != LibC.EAGAIN && errno != LibC.EINTR);
        return false;
    }

    /// <summary>The client has gone. What it sent before is kept, as far as there is room, and the next client may come.</summary>
    private void OnHangUp()
    {
        if (_hangUp is not null && _file is not null)
        {
            _buffer.AsSpan(_start, _end - _start).CopyTo(_buffer);
            _end -= _start;
            _start = 0;
            while (!_endOfFile && Fill(_file))
            {
            }

            _hangUp();
        }
    }

    /// <summary>null: not at all; None: for a hang-up only.</summary>
    private void Watch(ReadyEvents? events)
    {
        if (events is not { } wanted || _file is null || _disposed)
        {
            Unwatch();
        }
        else if (_watch is null)
        {
            // Never a regular file, which epoll refuses: poll(2) calls that ready until its end.
            _watch = _loop.Add(_file, wanted, this);
            _watched = wanted;
        }
        else if (_watched != wanted)
        {
            _watch.Change(wanted);
            _watched = wanted;
        }
    }

    private void Unwatch()
    {
        _watch?.Dispose();
        _watch = null;
        _watched = ReadyEvents.None;
    }

    private sealed class Doorbell(ConsoleInput input) : IEventHandler
    {
        public void OnReady(ReadyEvents events)
        {
            lock (input._lock)
            {
                input.Pump();
            }
        }
    }
}
