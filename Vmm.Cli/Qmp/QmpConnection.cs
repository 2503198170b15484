using System.Net.Sockets;
using System.Text.Json;
using System.Text.Json.Nodes;

namespace Vmm.Cli.Qmp;

/// <summary>The other end: a client of a QMP socket, ours or QEMU's. One thread reads.</summary>
internal sealed class QmpConnection : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StreamReader _lines;
    private readonly Lock _sending = new();

    private QmpConnection(string path, TimeSpan? limit)
    {
        int milliseconds = (int)(limit?.TotalMilliseconds ?? 0);
        try
        {
            // Connecting takes time too, when as many as the listener has room for wait already (unix(7), SO_SNDTIMEO).
            _socket.SendTimeout = milliseconds;
            _socket.ReceiveTimeout = milliseconds;
            _socket.Connect(new UnixDomainSocketEndPoint(path));
            _lines = new StreamReader(new NetworkStream(_socket));
        }
        catch
        {
            _socket.Dispose();
            throw;
        }
    }

    /// <summary>The socket that a name on the command line means: a path when it has a slash.</summary>
    public static string GetPath(string machine) => machine.Contains('/') ? machine : RuntimeDirectory.GetSocket(machine);

    /// <summary>Connects to a machine that the user has named.</summary>
    /// <exception cref="UserErrorException">There is none.</exception>
    public static QmpConnection Open(string machine, TimeSpan? limit = null)
    {
        string path = GetPath(machine);
        try
        {
            return TryOpen(path, limit) ?? throw new UserErrorException($"No machine named {machine} runs ({path}): `vmm list` shows those that do.");
        }
        catch (Exception e) when (e is TimeoutException)
        {
            throw new UserErrorException($"The machine {machine} does not answer on {path}: {e.Message}");
        }
    }

    /// <summary>Connects and negotiates. Null when nobody listens there.</summary>
    /// <param name="path">The socket's.</param>
    /// <param name="limit">How long each answer may take; null for as long as it takes.</param>
    /// <exception cref="TimeoutException">Somebody listens, and says nothing.</exception>
    public static QmpConnection? TryOpen(string path, TimeSpan? limit = null)
    {
        QmpConnection connection;
        try
        {
            connection = new QmpConnection(path, limit);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.WouldBlock or SocketError.TimedOut)
        {
            throw new TimeoutException("others wait for an answer already.");
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable) // ECONNREFUSED, ENOENT
        {
            return null;
        }

        try
        {
            if (connection.Read() is not { } greeting || !greeting.TryGetProperty("QMP", out _))
            {
                throw new UserErrorException($"{path} is no QMP socket: it does not greet.");
            }

            connection.Execute("qmp_capabilities");
            return connection;
        }
        catch
        {
            connection.Dispose();
            throw;
        }
    }

    /// <summary>Sends a command and waits for its reply; events are passed over.</summary>
    /// <returns>What it returned.</returns>
    /// <exception cref="QmpException">The machine refused.</exception>
    public JsonElement Execute(string command, JsonObject? arguments = null)
    {
        Send(command, arguments);
        while (Read() is { } message)
        {
            if (!message.TryGetProperty("event", out _))
            {
                return GetReturn(message);
            }
        }

        throw new UserErrorException("The machine closed the connection.");
    }

    /// <summary>What a reply returned.</summary>
    /// <exception cref="QmpException">The machine refused.</exception>
    public static JsonElement GetReturn(JsonElement reply)
        => reply.TryGetProperty("error", out JsonElement error)
            ? throw new QmpException(error.GetProperty("class").GetString()!, error.GetProperty("desc").GetString()!)
            : reply.GetProperty("return");

    public void Send(string command, JsonObject? arguments)
    {
        JsonObject request = new() { ["execute"] = command };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        SendLine(request.ToJsonString());
    }

    /// <exception cref="UserErrorException">The machine has closed the connection.</exception>
    /// <exception cref="TimeoutException">It does not read.</exception>
    public void SendLine(string json)
    {
        lock (_sending)
        {
            ReadOnlySpan<byte> rest = System.Text.Encoding.UTF8.GetBytes(json + "\n");
            try
            {
                while (!rest.IsEmpty)
                {
                    rest = rest[_socket.Send(rest)..];
                }
            }
            catch (SocketException e) when (e.SocketErrorCode is SocketError.TimedOut or SocketError.WouldBlock)
            {
                throw new TimeoutException($"it has not read for {_socket.SendTimeout / 1000.0} s.");
            }
            catch (SocketException)
            {
                throw new UserErrorException("The machine closed the connection.");
            }
        }
    }

    /// <summary>The next greeting, reply or event; null when the machine has closed.</summary>
    public JsonElement? Read()
    {
        try
        {
            string? line = _lines.ReadLine();
            if (line is null)
            {
                return null;
            }

            using JsonDocument document = JsonDocument.Parse(line);
            return document.RootElement.Clone();
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.TimedOut or SocketError.WouldBlock })
        {
            throw new TimeoutException($"nothing came within {_socket.ReceiveTimeout / 1000.0} s.");
        }
        catch (IOException e) when (e.InnerException is SocketException)
        {
            return null;
        }
    }

    /// <summary>Ends the conversation: whoever waits in <see cref="Read"/> finds the end.</summary>
    public void HangUp()
    {
        try
        {
            _socket.Shutdown(SocketShutdown.Both);
        }
        catch (SocketException)
        {
            // The machine was faster.
        }
    }

    /// <summary>Nobody reads or sends any more.</summary>
    public void Dispose()
    {
        _lines?.Dispose();
        _socket.Dispose();
    }
}
