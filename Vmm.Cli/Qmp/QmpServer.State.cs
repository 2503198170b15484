using System.Text;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Cli.Qmp;

// Handing all of it to another process: the socket, the clients, and what has been half said.
internal sealed partial class QmpServer
{
    private static readonly StateKind<QmpServerState> s_kind = new(version: 1, example: () => new QmpServerState { Clients = [new QmpClientState { Socket = new FileDescriptor(-1) }] });

    /// <summary>What the section is made of.</summary>
    public static StateKind StateKind => s_kind;

    /// <summary>
    /// What the next process needs to go on with. It is saved while suspended, and applied to a server without a listener, which is
    /// suspended until its <see cref="Resume"/>.
    /// </summary>
    public IStateSection CreateStateSection() => new Section(this);

    private sealed class Section(QmpServer server) : StateSection<QmpServerState>(ControlPlane.SectionName, s_kind)
    {
        private QmpServerState _collected;

        public override bool GoesAhead => true;

        protected override ref QmpServerState Collect()
        {
            lock (server._lock)
            {
                if (server._isServing || server._listener is null)
                {
                    throw new InvalidOperationException("A server's state is only read while it is suspended.");
                }

                _collected = new QmpServerState
                {
                    Listener = server._listener.Socket,
                    Clients = [.. server._clients.Where(client => !client.IsDone).Select(client => client.State)],
                };
                _collected.Path.Append(Encoding.UTF8.GetBytes(server._listener.Path));
            }

            return ref _collected;
        }

        protected override QmpServerState Prepare() => new() { Clients = [] };

        /// <summary>They are used when there is no way back.</summary>
        protected override string? Check(in QmpServerState state)
        {
            if (ByteDescriptor.Probe(state.Listener!.Number) != DescriptorKind.Listener)
            {
                return "listener: the open file is no listening socket";
            }

            int wrong = Array.FindIndex(state.Clients, client => ByteDescriptor.Probe(client.Socket!.Number) != DescriptorKind.Socket);
            return wrong < 0 ? null : $"client[{wrong}]: the open file is no connected socket";
        }

        /// <summary>The other process's sockets are not touched before it is certain that they are ours: <see cref="TakeOver"/>.</summary>
        protected override void Apply(ref QmpServerState state) => server._handed = state;
    }

    /// <summary>The server that was loaded is ours now. <see cref="Resume"/> is still to come.</summary>
    public void TakeOver()
    {
        if (_handed is not { } state)
        {
            return;
        }

        _handed = null;
        lock (_lock)
        {
            _listener = UnixListener.Adopt(state.Listener!, Encoding.UTF8.GetString(state.Path.Span));
            foreach (ref readonly QmpClientState client in state.Clients.AsSpan())
            {
                _clients.Add(new QmpClient(this, client));
            }
        }
    }
}
