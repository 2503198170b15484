using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

// Serving one client after the other, on the server's thread, which has the turn.
internal sealed partial class QmpServer
{
    private const string Negotiation = "qmp_capabilities";

    /// <summary>Something has come from a client, or it can take more.</summary>
    internal void Serve(QmpClient client, ReadyEvents events)
    {
        lock (_turn)
        {
            if (!_isServing || !_clients.Contains(client))
            {
                return;
            }

            lock (_lock)
            {
                client.Receive(events, _chunk);
            }

            Go(client);
        }
    }

    private void Accept()
    {
        while (_clients.Count < MaxClients && _listener?.TryAccept(out FileDescriptor? socket) == true)
        {
            QmpClient client = new(this, socket);
            lock (_lock)
            {
                client.Queue(QmpMessage.Greeting());
                _clients.Add(client);
            }
        }
    }

    /// <summary>Does for a client whatever can be done now.</summary>
    private void Go(QmpClient client)
    {
        bool again;
        do
        {
            again = false;
            while (TryTakeRequest(client) is { } request)
            {
                Execute(client, request);
                again = true;
            }
        }
        while (again);

        lock (_lock)
        {
            if (!client.IsDone)
            {
                client.Watch(_loop);
                return;
            }

            _clients.Remove(client);
            client.Dispose();
        }

        // Others may have waited for its place.
        _doorbell.Signal();
    }

    private byte[]? TryTakeRequest(QmpClient client)
    {
        lock (_lock)
        {
            client.Flush();
            byte[]? request = client.TryTakeRequest(out byte[] taken) ? taken : null;
            client.Flush();
            return request;
        }
    }

    private void Execute(QmpClient client, byte[] bytes)
    {
        byte[] id = [];
        QmpCall? call = null;
        try
        {
            QmpRequest request = QmpRequest.Parse(bytes, out id);
            lock (_lock)
            {
                call = client.Begin(request.Command, id);
            }

            Run(client, request, call);
        }
#pragma warning disable CA1031 // Whatever becomes of a command is its answer; the others go on.
        catch (Exception e)
#pragma warning restore CA1031
        {
            Refuse(client, call, e, id);
        }
    }

    private void Run(QmpClient client, QmpRequest request, QmpCall call)
    {
        if (client.State.IsNegotiated)
        {
            if (request.Command == Negotiation)
            {
                throw new QmpException(QmpErrorClass.CommandNotFound, "Capabilities negotiation is already complete, command ignored");
            }

            Commands.Run(request, call);
            return;
        }

        if (request.Command != Negotiation)
        {
            throw new QmpException(QmpErrorClass.CommandNotFound, $"Expecting capabilities negotiation with '{Negotiation}'");
        }

        QmpArguments arguments = new(request.Arguments);
        if (arguments.OptionalStrings("enable") is [var capability, ..])
        {
            throw new QmpException($"Parameter 'enable' does not accept value '{capability}'");
        }

        arguments.End();
        lock (_lock)
        {
            client.Negotiate();
        }

        call.Complete();
    }

    private void Refuse(QmpClient client, QmpCall? call, Exception reason, byte[] id)
    {
        if (call is not null)
        {
            call.Fail(reason);
            return;
        }

        lock (_lock)
        {
            client.Queue(QmpMessage.Error(QmpErrorClass.Generic, reason.Message, id));
        }
    }
}
