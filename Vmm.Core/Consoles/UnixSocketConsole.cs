using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>
/// A listening UNIX socket with one client at a time; the next one waits until that has gone. What the guest prints while nobody is
/// connected is kept for the next client, as far as the ring holds it.
/// </summary>
internal sealed class UnixSocketConsole : DescriptorConsole, IEventHandler
{
    private readonly UnixListener _listener;
    private readonly EventRegistration _accept;
    private readonly Lock _lock = new();
    private FileDescriptor? _client;
    private bool _disposed;

    /// <param name="loop">Where it runs.</param>
    /// <param name="listener">The console owns it.</param>
    /// <param name="client">One that is connected already; the console owns it.</param>
    public UnixSocketConsole(EventLoop loop, UnixListener listener, FileDescriptor? client = null) : base(loop, $"unix {listener.Path}")
    {
        _listener = listener;
        Input = new ConsoleInput(loop, hangUp: CloseClient);
        _client = client;
        _accept = loop.Add(listener.Socket, client is null ? ReadyEvents.In : ReadyEvents.None, this);
        if (client is not null)
        {
            Input.Attach(client);
            Output.Attach(client);
        }
    }

    protected override IReadOnlyList<FileDescriptor> Files => _client is { } client ? [_listener.Socket, client] : [_listener.Socket];

    public override void Abandon()
    {
        // ORDER: a descriptor is not watched any more when it is closed.
        _accept.Dispose();
        _listener.Abandon();
        Dispose();
    }

    /// <summary>A client waits.</summary>
    public void OnReady(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_disposed || _client is not null || !_listener.TryAccept(out FileDescriptor? client))
            {
                return;
            }

            _client = client;
            _accept.Change(ReadyEvents.None);
            Input!.Attach(client);
            Output.Attach(client);
        }
    }

    public override void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            _disposed = true;
            _accept.Dispose();
        }

        base.Dispose();
        _client?.Dispose();
        _listener.Dispose();
    }

    /// <summary>Called by the input, on the loop's thread.</summary>
    private void CloseClient()
    {
        Input!.Detach();
        Output.Detach();
        lock (_lock)
        {
            _client?.Dispose();
            _client = null;
            if (!_disposed)
            {
                _accept.Change(ReadyEvents.In);
            }
        }
    }
}
