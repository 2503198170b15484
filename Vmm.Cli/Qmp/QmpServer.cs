using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

/// <summary>
/// The control plane: QEMU's machine protocol on a UNIX socket, for several clients at once.
/// </summary>
/// <remarks>
/// Protocol. One thread serves all clients and runs the quick commands. It has the turn (<c>_turn</c>) while it does; whoever stops or hands
/// over the server takes the turn, and so comes between two commands. <c>_lock</c>, taken inside of it, keeps the clients' buffers: any
/// thread may emit an event or answer a long command, which never waits for a command that runs. What it could not send at once, the
/// server's thread does, woken by a doorbell.
/// <code>
///   made, suspended -- Resume --> serving &lt;-- Suspend, Resume --> suspended -- Abandon, or Close --> gone
/// </code>
/// </remarks>
internal sealed partial class QmpServer : IEventHandler, IDisposable
{
    /// <summary>Clients at a time; others wait until one goes.</summary>
    public const int MaxClients = 64;

    private const int ChunkSize = 16 << 10;

    /// <summary>How long the end waits for clients to take the last messages.</summary>
    private static readonly TimeSpan _farewell = TimeSpan.FromMilliseconds(200);

    // Runtime glue
    private readonly EventLoop _loop = new("qmp");
    private readonly EventFd _doorbell = new();
    private readonly EventRegistration _doorbellRegistration;
    private readonly Lock _turn = new();
    private readonly Lock _lock = new();
    private readonly byte[] _chunk = new byte[ChunkSize];
    private EventRegistration? _accept;
    private bool _isClosed;

    // Volatile state
    private readonly List<QmpClient> _clients = [];
    private UnixListener? _listener;
    private QmpServerState? _handed; // what another process has sent, until it is used
    private volatile bool _isServing;

    /// <summary>A server that serves nobody yet.</summary>
    /// <param name="listener">Belongs to the server; null when it will be loaded with the state of another one.</param>
    public QmpServer(UnixListener? listener)
    {
        _listener = listener;
        _doorbellRegistration = _loop.Add(_doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, this);
    }

    /// <summary>To be filled before the first <see cref="Resume"/>.</summary>
    public QmpCommands Commands { get; } = new();

    /// <summary>Long commands that have begun and are not answered: after a hand-over it is for the new process to do so.</summary>
    public IReadOnlyList<QmpCall> PendingCalls
    {
        get
        {
            lock (_lock)
            {
                return [.. _clients.Where(client => client.Call is not null).Select(client => client.Call!)];
            }
        }
    }

    /// <summary>Serves from now on.</summary>
    public void Resume()
    {
        lock (_turn)
        {
            if (!_isClosed)
            {
                _isServing = true;
                _doorbell.Signal();
            }
        }
    }

    /// <summary>
    /// Returns when no command runs and nothing is read or sent any more; what comes meanwhile waits. Long commands may be under way, and
    /// their answers wait too.
    /// </summary>
    // ORDER: not by whoever holds up a command, such as the holder of the machine's run lock.
    public void Suspend()
    {
        lock (_turn)
        {
            _isServing = false;
            _accept?.Dispose();
            _accept = null;
            foreach (QmpClient client in _clients)
            {
                client.Unwatch();
            }
        }
    }

    /// <summary>Tells every client that can hear it.</summary>
    public void Emit(QmpEvent happening)
    {
        byte[] message = QmpMessage.Event(happening.Name, happening.Data);
        lock (_lock)
        {
            foreach (QmpClient client in _clients.Where(client => client.State.IsNegotiated))
            {
                client.Queue(message);
                if (_isServing)
                {
                    client.Flush();
                }
            }
        }

        _doorbell.Signal();
    }

    /// <summary>Says a last thing, closes all connections and removes the socket.</summary>
    public void Close(QmpEvent? last = null)
    {
        lock (_turn)
        {
            if (!_isClosed && last is not null)
            {
                Emit(last);
                long end = Environment.TickCount64 + (long)_farewell.TotalMilliseconds;
                lock (_lock)
                {
                    _clients.ForEach(client => client.Flush(end));
                }
            }
        }

        Release(listener => listener?.Dispose());
    }

    /// <summary>Lets go of everything and leaves it as it is: another process has it now.</summary>
    public void Abandon() => Release(listener => listener?.Abandon());

    public void Dispose() => Close();

    /// <summary>A client waits, or a doorbell rang: somebody has something for the server's thread to do.</summary>
    public void OnReady(ReadyEvents events)
    {
        lock (_turn)
        {
            if (!_isServing)
            {
                return;
            }

            _accept ??= _listener is null ? null : _loop.Add(_listener.Socket, ReadyEvents.In | ReadyEvents.EdgeTriggered, this);
            Accept();
            foreach (QmpClient client in _clients.ToArray())
            {
                Go(client);
            }
        }
    }

    internal void Answer(QmpCall call, Func<byte[], byte[]> answer)
    {
        lock (_lock)
        {
            if (call.Client.Call == call)
            {
                call.Client.End(answer);
            }
        }

        // Whoever has the turn goes on with this client anyway.
        if (!_turn.IsHeldByCurrentThread)
        {
            _doorbell.Signal();
        }
    }

    private void Release(Action<UnixListener?> release)
    {
        lock (_turn)
        {
            if (_isClosed)
            {
                return;
            }

            Suspend();
            _isClosed = true;
            lock (_lock)
            {
                _clients.ForEach(client => client.Dispose());
                _clients.Clear();
            }

            release(_listener);
            _listener = null;
        }

        // ORDER: without the turn, for which the thread may be waiting.
        _doorbellRegistration.Dispose();
        _loop.Dispose();
    }
}
