using Vmm.Cli.Machines;
using Vmm.Core.Machine;
using Vmm.Core.State;

namespace Vmm.Cli.Qmp;

/// <summary>A machine's name, its QMP socket and server, from the moment when the name is taken to the last event.</summary>
internal sealed class ControlPlane : IDisposable
{
    /// <summary>The name of the server's section of state.</summary>
    public const string SectionName = "qmp";

    /// <summary>Null where there is none, or not yet.</summary>
    public QmpServer? Server { get; private set; }

    /// <summary>What goes along when the machine goes to another process.</summary>
    public IReadOnlyList<IStateSection> StateSections => Server is null ? [] : [Server.CreateStateSection()];

    /// <summary>Takes the name and the socket that the options ask for. Clients wait until the server serves.</summary>
    /// <param name="name">As of <see cref="ControlSocket.Open"/>.</param>
    /// <param name="path">As of <see cref="ControlSocket.Open"/>.</param>
    /// <returns>The machine's name.</returns>
    public string Open(string? name, string? path)
    {
        ControlSocket socket = ControlSocket.Open(name, path);
        if (socket.Listener is { } listener)
        {
            Server = new QmpServer(listener);
        }

        return socket.Name;
    }

    /// <summary>Expects another process's server, which comes with the machine's state.</summary>
    public void Expect() => Server = new QmpServer(null);

    /// <summary>Serves while a machine is waited for.</summary>
    public void Serve(string name, Arrival arrival, MachineLifetime lifetime)
    {
        if (Server is { } server)
        {
            ArrivalCommands.Register(server.Commands, name, arrival, lifetime);
            server.Resume();
        }
    }

    /// <summary>Serves a machine that runs.</summary>
    /// <param name="machine">Which.</param>
    /// <param name="migrations">What becomes of migrations.</param>
    /// <param name="passing">It goes on at once: what was asked of the process before is for the next one to answer.</param>
    public void Serve(Machine machine, Migrations migrations, bool passing)
    {
        if (Server is { } server)
        {
            server.Suspend();
            server.Commands.Clear();
            MachineCommands.Register(machine, server, migrations, passing);
            server.Resume();
        }
    }

    /// <summary>Tells all clients how it ended, and closes.</summary>
    /// <param name="end">How the machine ended.</param>
    /// <param name="signal">The signal that stopped it, or 0.</param>
    public void Close(GuestEnd end, int signal)
    {
        if (end.Cause == GuestEndCause.HandedOver)
        {
            Server?.Abandon();
        }
        else
        {
            if (end.Cause == GuestEndCause.Panic)
            {
                Server?.Emit(QmpEvent.GuestPanicked);
            }

            Server?.Close(QmpEvent.Shutdown(ShutdownReason.From(end, signal)));
        }
    }

    public void Dispose() => Server?.Dispose();
}
