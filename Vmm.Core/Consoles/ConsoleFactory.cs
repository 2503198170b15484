using System.Diagnostics.CodeAnalysis;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Core.Consoles;

/// <summary>Opens the console that the options name.</summary>
public static class ConsoleFactory
{
    /// <param name="options">Which.</param>
    /// <param name="loop">Its I/O runs there; dispose the console first.</param>
    /// <param name="lifetime">Ended by Ctrl-A x on a terminal.</param>
    /// <exception cref="LinuxException">The host refused, with what to do about it.</exception>
    [SuppressMessage("Reliability", "CA2000", Justification = "Ownership goes to the returned console.")]
    public static IConsole Open(ConsoleOptions options, EventLoop loop, MachineLifetime lifetime) => options.Kind switch
    {
        ConsoleKind.Stdio => new StdioConsole(loop, lifetime),
        ConsoleKind.File => new FileConsole(loop, options.Path!),
        ConsoleKind.Pty => new PtyConsole(loop, new PseudoTerminal()),
        ConsoleKind.UnixSocket => new UnixSocketConsole(loop, new UnixListener(options.Path!)),
        _ => new NullConsole(),
    };

    /// <summary>A console that another process has opened, and whose state is still to come.</summary>
    /// <param name="options">As it was opened.</param>
    /// <param name="loop">As of <see cref="Open"/>.</param>
    /// <param name="lifetime">As of <see cref="Open"/>.</param>
    public static IConsole Expect(ConsoleOptions options, EventLoop loop, MachineLifetime lifetime) => new HandedConsole(options, loop, lifetime);

    /// <summary>What the section of a console's state is made of.</summary>
    public static StateKind StateKind => ConsoleSection.Kind;

    /// <summary>Whether <see cref="Adopt"/> will find what it needs: null, or a clause that says why not. It is called when there is no way back.</summary>
    internal static string? Check(ConsoleOptions options, in ConsoleState state) => (options.Kind, state.Files) switch
    {
        (ConsoleKind.Stdio or ConsoleKind.None, []) or (ConsoleKind.File, [{ }]) => null,
        (ConsoleKind.Pty, [{ } master, { } slave]) => TerminalMode.TryGet(master, out _) && TerminalMode.TryGet(slave, out _) ? null : "an open file is no terminal",
        (ConsoleKind.UnixSocket, [{ } listener]) => ByteDescriptor.Probe(listener.Number) == DescriptorKind.Listener ? null : "the first open file is no listening socket",
        (ConsoleKind.UnixSocket, [{ } listener, { } client]) => ByteDescriptor.Probe(listener.Number) != DescriptorKind.Listener ? "the first open file is no listening socket"
            : ByteDescriptor.Probe(client.Number) == DescriptorKind.Socket ? null : "the second open file is no connected socket",
        _ => $"{state.Files.Length} open files are not what a console of kind {options.Kind} has",
    };

    internal static IConsole Adopt(ConsoleOptions options, EventLoop loop, MachineLifetime lifetime, in ConsoleState state) => (options.Kind, state.Files) switch
    {
        (ConsoleKind.Stdio, _) => new StdioConsole(loop, lifetime, before: StdioConsole.ReadMode(in state)),
        (ConsoleKind.File, [{ } file]) => new FileConsole(loop, options.Path!, file),
        (ConsoleKind.Pty, [{ } master, { } slave]) => new PtyConsole(loop, PseudoTerminal.Adopt(master, slave)),
        (ConsoleKind.UnixSocket, [{ } listener, .. var client]) => new UnixSocketConsole(loop, UnixListener.Adopt(listener, options.Path!), client.FirstOrDefault()),
        _ => new NullConsole(),
    };
}
