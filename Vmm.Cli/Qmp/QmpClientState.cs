using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Cli.Qmp;

/// <summary>All that a conversation with one client is made of; whoever has it can go on with it.</summary>
internal struct QmpClientState : IDescribed<QmpClientState>
{
    public FileDescriptor? Socket;

    /// <summary>qmp_capabilities came: it may give commands, and gets events.</summary>
    public bool IsNegotiated;

    /// <summary>Nothing more is read: what is left goes out, and then the connection is closed.</summary>
    public bool IsClosing;

    /// <summary>A command has begun that will be answered later; the next one waits for that.</summary>
    public bool IsBusy;

    /// <summary>The name of that command.</summary>
    public ByteQueue Command;

    /// <summary>The id that its answer repeats, as JSON; empty when it came without one.</summary>
    public ByteQueue Id;

    /// <summary>What has come and is no whole command yet, or waits for its turn.</summary>
    public ByteQueue Input;

    /// <summary>What the client has not taken yet.</summary>
    public ByteQueue Output;

    public static string StateName => "qmp-client";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref QmpClientState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Descriptor("socket", ref state.Socket);
        visitor.Field("negotiated", ref state.IsNegotiated);
        visitor.Field("closing", ref state.IsClosing);
        visitor.Field("busy", ref state.IsBusy);
        visitor.Struct("command", ref state.Command);
        visitor.Struct("id", ref state.Id);
        visitor.Struct("input", ref state.Input);
        visitor.Struct("output", ref state.Output);
    }

    public static string? PostLoad(scoped ref QmpClientState state)
        => state.IsBusy && state.Command.Count == 0 ? "busy: there is no command" : null;
}
