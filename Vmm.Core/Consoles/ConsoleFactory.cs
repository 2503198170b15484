using System.Diagnostics.CodeAnalysis;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

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
}
