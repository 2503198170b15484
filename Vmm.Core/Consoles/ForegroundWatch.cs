using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>
/// Follows whether this process has its terminal (is in its foreground process group) or a shell has put it in the background, where a
/// read of keys or a change of the mode is not its business.
/// </summary>
/// <remarks>
/// A shell tells a job that it continues after a stop with SIGCONT. It tells nothing to a job that runs in the background and is brought
/// to the front (bash), and the kernel has no event for it: so that is looked at now and then.
/// </remarks>
internal sealed class ForegroundWatch : IDisposable
{
    private static readonly TimeSpan Period = TimeSpan.FromMilliseconds(200);

    private readonly FileDescriptor _terminal;
    private readonly Action<bool> _changed;
    private readonly PosixSignalRegistration _continued;
    private readonly Timer _timer;
    private readonly Lock _lock = new();
    private bool _foreground;
    private bool _disposed;

    /// <param name="terminal">Stays open and owned by the caller until this is disposed.</param>
    /// <param name="changed">Told what holds at once, at each change, and after each stop; never twice at a time.</param>
    public ForegroundWatch(FileDescriptor terminal, Action<bool> changed)
    {
        _terminal = terminal;
        _changed = changed;
        Look(tell: true);
        _continued = PosixSignalRegistration.Create((PosixSignal)LibC.SIGCONT, _ => Look(tell: true));
        _timer = new Timer(_ => Look(tell: false), null, Period, Period);
    }

    /// <summary>True as well for a terminal that is not this process's own, which has no foreground for us.</summary>
    public static bool IsForeground(FileDescriptor terminal)
    {
        int group = (int)LibC.tcgetpgrp(terminal.Number);
        return group < 0 || group == (int)LibC.getpgrp();
    }

    public void Dispose()
    {
        lock (_lock)
        {
            _disposed = true;
        }

        _timer.Dispose();
        _continued.Dispose();
    }

    private void Look(bool tell)
    {
        lock (_lock)
        {
            if (_disposed)
            {
                return;
            }

            bool foreground = IsForeground(_terminal);
            if (tell || foreground != _foreground)
            {
                _foreground = foreground;
                _changed(foreground);
            }
        }
    }
}
