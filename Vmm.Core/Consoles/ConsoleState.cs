using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>What another process needs to go on with a console: its open files, and the bytes that are under way.</summary>
internal struct ConsoleState : IDescribed<ConsoleState>
{
    private const int MaxFiles = 3;

    /// <summary>What the host has not taken yet.</summary>
    public byte[] Output;

    /// <summary>What the guest has not taken yet.</summary>
    public byte[] Input;

    /// <summary>st_rdev of the terminal that <see cref="Mode"/> belongs to, 0 for none.</summary>
    public ulong Terminal;

    /// <summary>The terminal's mode (termios) before the console took it.</summary>
    public byte[] Mode;

    /// <summary>File: the file. Pty: master and slave. UNIX socket: listener, and the client if there is one.</summary>
    public FileDescriptor?[] Files;

    public static string StateName => "console";

    public static ConsoleState Empty() => new() { Output = [], Input = [], Mode = [], Files = [] };

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref ConsoleState state) where TVisitor : IStateVisitor, allows ref struct
    {
        Bytes(ref visitor, "output", ref state.Output, ConsoleOutput.Capacity);
        Bytes(ref visitor, "input", ref state.Input, ConsoleInput.Capacity);
        visitor.Field("terminal", ref state.Terminal);
        Bytes(ref visitor, "mode", ref state.Mode, TerminalMode.Size);
        int count = state.Files.Length;
        visitor.Count("files", ref count, MaxFiles);
        state.Files = count == state.Files.Length ? state.Files : new FileDescriptor?[count];
        foreach (ref FileDescriptor? file in state.Files.AsSpan())
        {
            visitor.Descriptor("fd", ref file);
        }
    }

    public static string? PostLoad(scoped ref ConsoleState state)
        => state.Terminal != 0 && state.Mode.Length != TerminalMode.Size ? $"mode has {state.Mode.Length} bytes, a terminal's has {TerminalMode.Size}" : null;

    private static void Bytes<TVisitor>(ref TVisitor visitor, string name, scoped ref byte[] bytes, int limit) where TVisitor : IStateVisitor, allows ref struct
    {
        int count = bytes.Length;
        visitor.Count($"{name}_length", ref count, limit);
        bytes = count == bytes.Length ? bytes : new byte[count];
        visitor.Bytes(name, bytes);
    }
}
