using Vmm.Cli.Machines;
using Vmm.Core.Machine;

namespace Vmm.Cli.Qmp;

/// <summary>A machine's name, its QMP socket and server, from the moment when the name is taken to the last event.</summary>
internal sealed class ControlPlane : IDisposable
{
    /// <summary>Null where there is none, or not yet.</summary>
    public QmpServer? Server { get; private set; }

    /// <summary>Takes the name and the socket that the options ask for. Clients wait until <see cref="Serve"/>.</summary>
    public void Open(MachineOptions options, Machine machine)
    {
        ControlSocket socket = ControlSocket.Open(options.Name, options.Qmp);
        machine.Name = socket.Name;
        if (socket.Listener is { } listener)
        {
            Server = new QmpServer(listener);
        }
    }

    /// <summary>Serves a machine that runs.</summary>
    public void Serve(Machine machine)
    {
        if (Server is { } server)
        {
            MachineCommands.Register(machine, server);
            server.Resume();
        }
    }

    /// <summary>Tells all clients how it ended, and closes.</summary>
    /// <param name="end">How the machine ended.</param>
    /// <param name="signal">The signal that stopped it, or 0.</param>
    public void Close(GuestEnd end, int signal) => Server?.Close(QmpEvent.Shutdown(ShutdownReason.From(end, signal)));

    public void Dispose() => Server?.Dispose();
}
