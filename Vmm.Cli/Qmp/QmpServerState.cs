using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Cli.Qmp;

/// <summary>The whole server: the socket that it listens on, and its clients.</summary>
internal struct QmpServerState : IDescribed<QmpServerState>
{
    /// <summary>The path that the socket is bound to, as UTF-8.</summary>
    public ByteQueue Path;

    public FileDescriptor? Listener;

    public QmpClientState[] Clients;

    public static string StateName => "qmp-server";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref QmpServerState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Struct("path", ref state.Path);
        visitor.Descriptor("listener", ref state.Listener);
        int count = state.Clients.Length;
        visitor.Count("clients", ref count, QmpServer.MaxClients);
        if (visitor.IsLoading)
        {
            state.Clients = new QmpClientState[count];
        }

        visitor.Structs("client", state.Clients.AsSpan());
    }
}
