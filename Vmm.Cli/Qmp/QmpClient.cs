using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

/// <summary>
/// One client: a small machine that takes bytes, cuts them into requests, and sends what comes of them.
/// </summary>
/// <remarks>
/// <code>
///   greeted -- qmp_capabilities --> negotiated &lt;-- answer -- busy
///                                       |                   ^
///                                       +-- long command ---+      either of them: -- end of input, or too much of it --> closing --> gone
/// </code>
/// The buffers are under the server's lock; the socket is read, watched and closed by whoever has the server's turn.
/// </remarks>
internal sealed class QmpClient : IEventHandler, IDisposable
{
    /// <summary>The longest request.</summary>
    public const int MaxInput = 1 << 20;

    /// <summary>More than this may not wait for a client when something else is to be added: it does not read.</summary>
    private const int MaxOutput = 1 << 20;

    /// <summary>While more than this waits for it, a client's commands wait too.</summary>
    private const int HighWater = 64 << 10;

    private readonly QmpServer _server;
    private readonly MessageSocket _socket;
    private readonly List<FileDescriptor> _strays = [];
    private EventRegistration? _registration;
    private ReadyEvents _watched;
    private JsonFramer _framer;

    private QmpClientState _state;

    public QmpClient(QmpServer server, FileDescriptor socket)
    {
        _server = server;
        _socket = MessageSocket.Adopt(socket);
        _state.Socket = _socket;
    }

    /// <summary>Goes on where another process has left off.</summary>
    public QmpClient(QmpServer server, in QmpClientState state) : this(server, state.Socket!)
    {
        _state = state with { Socket = _socket };
        if (state.IsBusy)
        {
            Call = new QmpCall(server, this, System.Text.Encoding.UTF8.GetString(state.Command.Span));
        }
    }

    public ref readonly QmpClientState State => ref _state;

    /// <summary>The command that has begun and is not answered.</summary>
    public QmpCall? Call { get; private set; }

    /// <summary>Nothing can be said to it any more.</summary>
    public bool IsLost { get; private set; }

    /// <summary>All that it wanted has been done and said, or it is lost.</summary>
    public bool IsDone => IsLost || (_state is { IsClosing: true, IsBusy: false, Output.Count: 0 });

    private bool WantsInput => !_state.IsClosing && !_state.IsBusy && _state.Output.Count <= HighWater;

    public void OnReady(ReadyEvents events) => _server.Serve(this, events);

    /// <summary>Takes what has come.</summary>
    /// <param name="events">What the event loop saw.</param>
    /// <param name="chunk">Room to receive in.</param>
    public void Receive(ReadyEvents events, Span<byte> chunk)
    {
        if ((events & ~ReadyEvents.Out) == 0)
        {
            return;
        }

        if (!WantsInput)
        {
            // Only a hang-up is reported then: both directions are closed.
            IsLost = true;
            return;
        }

        int received = _socket.Receive(chunk, _strays);
        _strays.ForEach(file => file.Dispose());
        _strays.Clear();
        if (received > 0)
        {
            _state.Input.Append(chunk[..received]);
        }
        else if (received == 0)
        {
            _state.IsClosing = true;
        }
        else if (received != -LibC.EAGAIN && received != -LibC.EINTR)
        {
            IsLost = true;
        }
    }

    /// <summary>The next whole request, unless another one has to be finished first.</summary>
    public bool TryTakeRequest(out byte[] request)
    {
        request = [];
        if (IsLost || _state.IsBusy || _state.Output.Count > HighWater)
        {
            return false;
        }

        SkipWhiteSpace();
        if (_framer.TryFindEnd(_state.Input.Span, out int length))
        {
            request = _state.Input.Span[..length].ToArray();
            _state.Input.Consume(length);
            return true;
        }

        if (_state.Input.Count > MaxInput)
        {
            _state.Input.Clear();
            _state.IsClosing = true;
            Queue(QmpMessage.Error(QmpErrorClass.Generic, $"JSON parse error, the request is longer than {MaxInput} bytes", default));
        }

        return false;
    }

    public QmpCall Begin(string command, byte[] id)
    {
        _state.IsBusy = true;
        _state.Command.Append(System.Text.Encoding.UTF8.GetBytes(command));
        _state.Id.Append(id);
        return Call = new QmpCall(_server, this, command);
    }

    public void Negotiate() => _state.IsNegotiated = true;

    public void End(Func<byte[], byte[]> answer)
    {
        byte[] id = _state.Id.Span.ToArray();
        _state.IsBusy = false;
        _state.Command.Clear();
        _state.Id.Clear();
        Call = null;
        Queue(answer(id));
    }

    /// <summary>Appends a message. Who does not read is lost when there is too much.</summary>
    public void Queue(ReadOnlySpan<byte> message)
    {
        if (_state.Output.Count > MaxOutput)
        {
            IsLost = true;
        }
        else if (!IsLost)
        {
            _state.Output.Append(message);
        }
    }

    /// <summary>Sends what the client takes.</summary>
    public void Flush()
    {
        while (!IsLost && _state.Output.Count > 0)
        {
            int sent = _socket.Send(_state.Output.Span, []);
            if (sent >= 0)
            {
                _state.Output.Consume(sent);
            }
            else if (sent == -LibC.EAGAIN)
            {
                return;
            }
            else if (sent != -LibC.EINTR)
            {
                IsLost = true;
            }
        }
    }

    /// <summary>Sends all of it, at most until then.</summary>
    /// <param name="end">As of <see cref="Environment.TickCount64"/>.</param>
    public void Flush(long end)
    {
        Flush();
        while (!IsLost && _state.Output.Count > 0 && end - Environment.TickCount64 is > 0 and var left)
        {
            _ = _socket.Wait(LibC.POLLOUT, (int)left);
            Flush();
        }
    }

    /// <summary>Has the loop report what can be done now.</summary>
    public void Watch(EventLoop loop)
    {
        ReadyEvents wanted = (WantsInput ? ReadyEvents.In : 0) | (_state.Output.Count > 0 ? ReadyEvents.Out : 0);
        if (_registration is null)
        {
            _registration = loop.Add(_socket, wanted, this);
        }
        else if (wanted != _watched)
        {
            _registration.Change(wanted);
        }

        _watched = wanted;
    }

    /// <summary>Nothing is reported any more.</summary>
    // ORDER: before another process watches the socket: epoll(7) keeps what is registered as long as anybody has the file open.
    public void Unwatch()
    {
        _registration?.Dispose();
        _registration = null;
    }

    public void Dispose()
    {
        Unwatch();
        IsLost = true;
        Call = null;
        _socket.Dispose();
    }

    private void SkipWhiteSpace()
    {
        ReadOnlySpan<byte> input = _state.Input.Span;
        int first = input.IndexOfAnyExcept(" \t\r\n"u8);
        if (first != 0 && input.Length > 0 && _framer.IsAtStart)
        {
            _state.Input.Consume(first < 0 ? input.Length : first);
        }
    }
}
