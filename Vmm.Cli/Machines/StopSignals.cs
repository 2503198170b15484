using System.Runtime.InteropServices;
using Vmm.Core.Machine;

namespace Vmm.Cli.Machines;

/// <summary>SIGINT, SIGTERM and SIGHUP end the machine cleanly instead of the process at once.</summary>
internal sealed class StopSignals : IDisposable
{
    private readonly PosixSignalRegistration[] _registrations;
    private readonly MachineLifetime _lifetime;
    private int _received;

    public StopSignals(MachineLifetime lifetime)
    {
        _lifetime = lifetime;
        _registrations =
        [
            PosixSignalRegistration.Create(PosixSignal.SIGHUP, context => Stop(context, 1)),
            PosixSignalRegistration.Create(PosixSignal.SIGINT, context => Stop(context, 2)),
            PosixSignalRegistration.Create(PosixSignal.SIGTERM, context => Stop(context, 15)),
        ];
    }

    /// <summary>The number of the first signal that came, or 0.</summary>
    public int Received => Volatile.Read(ref _received);

    public void Dispose()
    {
        foreach (PosixSignalRegistration registration in _registrations)
        {
            registration.Dispose();
        }
    }

    private void Stop(PosixSignalContext context, int number)
    {
        context.Cancel = true;
        Interlocked.CompareExchange(ref _received, number, 0);
        _lifetime.End(new GuestEnd(GuestEndCause.Stopped));
    }
}
