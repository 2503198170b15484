using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Events;

/// <summary>
/// One thread that waits in epoll(7) and calls the handlers of what is ready.
/// </summary>
/// <remarks>
/// Protocol: any thread may add, change or remove a registration. Removal does not wait for a handler that is just running on the
/// loop's thread; a handler that must not run after removal checks its own lock. An event that was fetched before its registration
/// went is dropped by its generation. A handler that throws ends the process: it is a defect, and going on would lose I/O silently.
/// </remarks>
public sealed unsafe class EventLoop : IDisposable
{
    private const int MaxEvents = 64;

    private readonly FileDescriptor _epoll;
    private readonly EventFd _stop = new();
    private readonly Lock _lock = new();
    private readonly Thread _thread;
    private EventRegistration?[] _registrations = new EventRegistration?[8];
    private uint _generation;
    private volatile bool _stopping;

    /// <param name="name">The thread's name, as <c>top -H</c> shows it (15 characters).</param>
    public EventLoop(string name)
    {
        _epoll = new FileDescriptor(LinuxException.ThrowIfFailed(LibC.epoll_create1(LibC.EPOLL_CLOEXEC), "epoll_create1", name));
        Control(LibC.EPOLL_CTL_ADD, _stop, ReadyEvents.In, ulong.MaxValue);
        _thread = new Thread(Run, 256 * 1024) { Name = name, IsBackground = true };
        _thread.StartOrExplain();
    }

    /// <summary>True on the loop's own thread.</summary>
    public bool IsCurrent => Thread.CurrentThread == _thread;

    /// <summary>Starts to watch a descriptor. <see cref="ReadyEvents.None"/> registers it without watching yet.</summary>
    public EventRegistration Add(FileDescriptor file, ReadyEvents events, IEventHandler handler)
    {
        lock (_lock)
        {
            int slot = Array.IndexOf(_registrations, null);
            if (slot < 0)
            {
                slot = _registrations.Length;
                Array.Resize(ref _registrations, slot * 2);
            }

            // ORDER: known before it is armed; an edge that is reported at once would be dropped otherwise, and never come again.
            EventRegistration registration = new(this, file, handler, slot, ++_generation);
            Volatile.Write(ref _registrations[slot], registration);
            try
            {
                Control(LibC.EPOLL_CTL_ADD, file, events, registration.Token);
            }
            catch
            {
                _registrations[slot] = null;
                throw;
            }

            return registration;
        }
    }

    /// <summary>Stops the thread and waits for it. Descriptors that were watched stay open.</summary>
    public void Dispose()
    {
        if (_stopping)
        {
            return;
        }

        _stopping = true;
        _stop.Signal();
        if (!IsCurrent)
        {
            _thread.Join();
        }

        lock (_lock)
        {
            _epoll.Dispose();
        }

        _stop.Dispose();
    }

    /// <summary>Nothing happens when the registration or the loop has gone.</summary>
    internal void Change(EventRegistration registration, ReadyEvents events)
    {
        lock (_lock)
        {
            if (_registrations[registration.Slot] == registration && !_epoll.IsClosed)
            {
                Control(LibC.EPOLL_CTL_MOD, registration.File, events, registration.Token);
            }
        }
    }

    internal void Remove(EventRegistration registration)
    {
        lock (_lock)
        {
            _registrations[registration.Slot] = null;
            if (!_epoll.IsClosed)
            {
                Control(LibC.EPOLL_CTL_DEL, registration.File, ReadyEvents.None, registration.Token);
            }
        }
    }

    private void Control(int operation, FileDescriptor file, ReadyEvents events, ulong token)
    {
        epoll_event value = new() { events = (int)events };
        value.data.u64 = token;
        if (LibC.epoll_ctl(_epoll.Number, operation, file.Number, &value) != 0)
        {
            // Changing a registration is on hot paths: the text is made only when it is needed.
            throw new LinuxException("epoll_ctl", $"fd {file.Number}", LibC.errno);
        }
    }

    private void Run()
    {
        epoll_event* events = stackalloc epoll_event[MaxEvents];
        while (!_stopping)
        {
            int count = LibC.epoll_wait(_epoll.Number, events, MaxEvents, -1);
            if (count < 0 && LibC.errno != LibC.EINTR)
            {
                throw new LinuxException("epoll_wait", _thread.Name ?? "an event loop", LibC.errno);
            }

            for (int i = 0; i < count && !_stopping; i++)
            {
                Dispatch(events[i].data.u64, (ReadyEvents)events[i].events);
            }
        }
    }

    private void Dispatch(ulong token, ReadyEvents events)
    {
        EventRegistration?[] registrations = Volatile.Read(ref _registrations);
        uint slot = (uint)token;
        if (slot < (uint)registrations.Length && Volatile.Read(ref registrations[slot]) is { } registration && registration.Token == token)
        {
            registration.Handler.OnReady(events);
        }
    }
}
