using Vmm.Core.Linux;

namespace Vmm.Core.Events;

/// <summary>One descriptor watched by an <see cref="EventLoop"/>. Dispose before the descriptor is closed.</summary>
public sealed class EventRegistration : IDisposable
{
    private readonly EventLoop _loop;
    private bool _disposed;

    internal EventRegistration(EventLoop loop, FileDescriptor file, IEventHandler handler, int slot, uint generation)
    {
        _loop = loop;
        File = file;
        Handler = handler;
        Slot = slot;
        Token = (ulong)generation << 32 | (uint)slot;
    }

    internal FileDescriptor File { get; }

    internal IEventHandler Handler { get; }

    internal int Slot { get; }

    internal ulong Token { get; }

    /// <summary>Watches for other events from now on; <see cref="ReadyEvents.None"/> pauses. EPOLLERR and EPOLLHUP are always reported.</summary>
    public void Change(ReadyEvents events) => _loop.Change(this, events);

    public void Dispose()
    {
        if (!_disposed)
        {
            _disposed = true;
            _loop.Remove(this);
        }
    }
}
