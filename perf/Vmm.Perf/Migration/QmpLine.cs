using System.Diagnostics;
using System.Net.Sockets;
using System.Text.Json.Nodes;
using Vmm.Perf.Compare;

namespace Vmm.Perf.Migration;

/// <summary>A client of a QMP socket, one command at a time. Events are kept until somebody waits for them.</summary>
internal sealed class QmpLine : IDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);

    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StreamReader _reader;
    private readonly StreamWriter _writer;
    private readonly List<JsonObject> _events = [];

    private QmpLine(string path, GuestProcess process)
    {
        Connect(path, process);
        _socket.ReceiveTimeout = (int)Patience.TotalMilliseconds;
        NetworkStream stream = new(_socket);
        _reader = new StreamReader(stream);
        _writer = new StreamWriter(stream) { AutoFlush = true };
        Read();
        Execute("qmp_capabilities");
    }

    /// <summary>Waits for the socket of this process to come up, and negotiates.</summary>
    public static QmpLine Open(string path, GuestProcess process) => new(path, process);

    /// <summary>The command's return value.</summary>
    /// <exception cref="InvalidOperationException">The answer is an error.</exception>
    public JsonNode? Execute(string command, JsonObject? arguments = null)
    {
        JsonObject request = new() { ["execute"] = command };
        if (arguments is not null)
        {
            request["arguments"] = arguments;
        }

        _writer.Write(request.ToJsonString() + "\n");
        while (true)
        {
            JsonObject message = Read();
            if (message.ContainsKey("event"))
            {
                _events.Add(message);
            }
            else
            {
                return message.TryGetPropertyValue("return", out JsonNode? result)
                    ? result
                    : throw new InvalidOperationException($"{command}: {message["error"]?["desc"]}");
            }
        }
    }

    /// <summary>Waits for an event, or takes one that has come.</summary>
    public JsonObject WaitFor(Func<JsonObject, bool> isIt)
    {
        while (true)
        {
            if (_events.Find(e => isIt(e)) is { } found)
            {
                return found;
            }

            _events.Add(Read());
        }
    }

    /// <summary>When the first event of this name was sent; microseconds since 1970.</summary>
    public double TimeOf(string name)
    {
        JsonNode time = WaitFor(e => (string?)e["event"] == name)["timestamp"]!;
        return ((double)time["seconds"]! * 1e6) + (double)time["microseconds"]!;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _socket.Dispose();
    }

    private JsonObject Read()
        => JsonNode.Parse(_reader.ReadLine() ?? throw new InvalidOperationException("The QMP socket was closed by the other end."))!.AsObject();

    private void Connect(string path, GuestProcess process)
    {
        for (long start = Stopwatch.GetTimestamp(); ; Thread.Sleep(1))
        {
            try
            {
                _socket.Connect(new UnixDomainSocketEndPoint(path));
                return;
            }
            catch (SocketException) when (!process.HasExited && Stopwatch.GetElapsedTime(start) < Patience)
            {
                // Not there yet.
            }
        }
    }
}
