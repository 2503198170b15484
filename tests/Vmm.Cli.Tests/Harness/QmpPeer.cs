using System.Net.Sockets;
using System.Text;
using System.Text.Json;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A client of a QMP socket that says exactly what it is told to.</summary>
internal sealed class QmpPeer : IDisposable
{
    private readonly Socket _socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
    private readonly StreamReader _lines;

    /// <summary>Connects; the greeting is the first line.</summary>
    public QmpPeer(string path)
    {
        _socket.Connect(new UnixDomainSocketEndPoint(path));
        _socket.ReceiveTimeout = 30_000;
        _lines = new StreamReader(new NetworkStream(_socket));
    }

    /// <summary>Connects as soon as somebody listens, and negotiates.</summary>
    public static QmpPeer Negotiated(string path)
    {
        QmpPeer? peer = null;
        Wait.Until(() => (peer = TryConnect(path)) is not null, () => path);
        peer!.Read()!.Value.TryGetProperty("QMP", out _).Should().BeTrue();
        peer.Execute("qmp_capabilities").GetProperty("return").GetRawText().Should().Be("{}");
        return peer;
    }

    /// <summary>Null when nobody listens there, or not yet.</summary>
    public static QmpPeer? TryConnect(string path)
    {
        try
        {
            return new QmpPeer(path);
        }
        catch (SocketException e) when (e.SocketErrorCode is SocketError.ConnectionRefused or SocketError.AddressNotAvailable)
        {
            return null;
        }
    }

    public void Send(string text) => _socket.Send(Encoding.UTF8.GetBytes(text)).Should().Be(Encoding.UTF8.GetByteCount(text));

    /// <summary>What it takes without waiting for long.</summary>
    /// <param name="bytes">What to send.</param>
    /// <param name="patience">How long that is, in milliseconds.</param>
    public int TrySend(byte[] bytes, int patience = 200)
    {
        _socket.SendTimeout = patience;
        try
        {
            return _socket.Send(bytes);
        }
        catch (SocketException)
        {
            return -1;
        }
    }

    /// <summary>For live updates that are to succeed, however long the machine at hand keeps their processes from its CPUs.</summary>
    public void AllowLongPauses() => Execute("migrate-set-parameters", """{"downtime-limit":20000}""").GetProperty("return").GetRawText().Should().Be("{}");

    public void EndInput() => _socket.Shutdown(SocketShutdown.Send);

    /// <summary>The next message; null at the end of the connection.</summary>
    public JsonElement? Read()
    {
        try
        {
            return _lines.ReadLine() is { } line ? JsonDocument.Parse(line).RootElement : null;
        }
        catch (IOException e) when (e.InnerException is SocketException { SocketErrorCode: SocketError.ConnectionReset })
        {
            return null;
        }
    }

    /// <summary>The reply to a command; the events before it are <paramref name="events"/>.</summary>
    public JsonElement Execute(string command, string arguments = "{}", List<string>? events = null)
    {
        Send($$"""{"execute":"{{command}}","arguments":{{arguments}}}""");
        return ReadReply(events);
    }

    public JsonElement ReadReply(List<string>? events = null)
    {
        while (true)
        {
            JsonElement message = Read() ?? throw new EndOfStreamException("The connection was closed before a reply.");
            if (!message.TryGetProperty("event", out JsonElement name))
            {
                return message;
            }

            events?.Add(name.GetString()!);
        }
    }

    /// <summary>The next event of that name; other messages are passed over.</summary>
    public JsonElement ReadEvent(string name)
    {
        while (true)
        {
            JsonElement message = Read() ?? throw new EndOfStreamException($"The connection was closed before {name}.");
            if (message.TryGetProperty("event", out JsonElement found) && found.GetString() == name)
            {
                return message;
            }
        }
    }

    public void Dispose()
    {
        _lines.Dispose();
        _socket.Dispose();
    }
}
