using System.Runtime.InteropServices;
using Tmds.Linux;
using Vmm.Core.Machine;

namespace Vmm.Cli.Machines;

/// <summary>
/// From <see cref="Catch"/> on, SIGINT, SIGTERM and SIGHUP end the machine cleanly instead of the process at once, and after SIGCONT the
/// terminal's mode is left to the console.
/// </summary>
internal sealed class StopSignals(MachineLifetime lifetime) : IDisposable
{
    private readonly List<PosixSignalRegistration> _registrations = [];
    private int _received;

    /// <summary>The number of the first signal that came, or 0.</summary>
    public int Received => Volatile.Read(ref _received);

    /// <summary>To be called before there is anything to clean up, and as late: whoever waits in a system call is not woken by a caught signal.</summary>
    public void Catch()
    {
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Stop(context, 1)));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, 2)));
        _registrations.Add(PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, 15)));

        // The runtime would put back, after the console, the mode that the terminal had when this process was started: from the background
        // too, and when another process has the console by now; and once it has done that, again at its end.
        _registrations.Add(PosixSignalRegistration.Create((PosixSignal)LibC.SIGCONT, context => context.Cancel = true));
    }

    public void Dispose()
    {
        _registrations.ForEach(registration => registration.Dispose());
    }

    private void Stop(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        Interlocked.CompareExchange(ref _received, number, 0);
        lifetime.End(new GuestEnd(GuestEndCause.Stopped));
    }
}
