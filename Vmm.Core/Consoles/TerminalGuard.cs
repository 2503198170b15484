using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>
/// Puts the user's terminal in raw mode and back: on dispose, at the process's exit, after an unhandled exception, and before a signal
/// ends or stops the process; but only while the process has the terminal: in the background the mode is the shell's. (SIGKILL can't be
/// caught; <c>reset</c> or <c>stty sane</c> repairs the terminal then.)
/// </summary>
internal sealed class TerminalGuard : IDisposable
{
    private static readonly PosixSignal[] Ending = [PosixSignal.SIGINT, PosixSignal.SIGTERM, PosixSignal.SIGHUP, PosixSignal.SIGQUIT];

    private readonly FileDescriptor _terminal;
    private readonly termios _saved;
    private readonly List<PosixSignalRegistration> _signals = [];
    private readonly Lock _lock = new();
    private bool _disposed;

    /// <param name="terminal">Stays open and owned by the caller until this is disposed.</param>
    /// <param name="saved">The mode to go back to.</param>
    public TerminalGuard(FileDescriptor terminal, termios saved)
    {
        _terminal = terminal;
        _saved = saved;
        AppDomain.CurrentDomain.ProcessExit += OnExit;
        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
        // The signal's own action follows unless somebody else, such as the command that ends the machine, has cancelled it.
        _signals.AddRange(Ending.Select(signal => PosixSignalRegistration.Create(signal, _ => Restore())));
        _signals.Add(PosixSignalRegistration.Create((PosixSignal)LibC.SIGTSTP, Stop));
        MakeRaw();
    }

    /// <summary>The mode to go back to.</summary>
    public termios Saved => _saved;

    /// <summary>Leaves the terminal as it is: another process has it, and this object's end changes nothing.</summary>
    public void Abandon()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        Unregister();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            RestoreLocked();
            _disposed = true;
        }

        Unregister();
    }

    /// <summary>To be called again after a stop, and when the terminal was the shell's meanwhile (<see cref="ForegroundWatch"/>).</summary>
    public void MakeRaw()
    {
        lock (_lock)
        {
            if (!_disposed && ForegroundWatch.IsForeground(_terminal))
            {
                TerminalMode.MakeRaw(_terminal, processOutput: true);
            }
        }
    }

    private void Unregister()
    {
        AppDomain.CurrentDomain.ProcessExit -= OnExit;
        AppDomain.CurrentDomain.UnhandledException -= OnUnhandledException;
        _signals.ForEach(s => s.Dispose());
    }

    /// <summary>The runtime catches SIGTSTP and then does not do what the signal is for.</summary>
    private void Stop(PosixSignalContext context)
    {
        context.Cancel = true;
        Restore();
        _ = LibC.kill(Environment.ProcessId, LibC.SIGSTOP);
    }

    private void Restore()
    {
        lock (_lock)
        {
            RestoreLocked();
        }
    }

    private void RestoreLocked()
    {
        if (!_disposed && ForegroundWatch.IsForeground(_terminal))
        {
            TerminalMode.TrySet(_terminal, _saved);
        }
    }

    private void OnExit(object? sender, EventArgs e) => Restore();

    private void OnUnhandledException(object sender, UnhandledExceptionEventArgs e) => Restore();
}
