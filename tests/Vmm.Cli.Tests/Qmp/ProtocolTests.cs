using System.Text.Json;
using Vmm.Cli.Qmp;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>What a client sees of the protocol, whatever the commands do.</summary>
public sealed class ProtocolTests : IDisposable
{
    private readonly QmpGuest _guest;

    public ProtocolTests()
    {
        Host.RequireKvm();
        _guest = new QmpGuest();
    }

    public void Dispose() => _guest.Dispose();

    [Fact]
    public void Connection_BeforeNegotiation_GreetsAndTakesNothingElse()
    {
        using QmpPeer other = _guest.Connect();
        using QmpPeer peer = new(_guest.Socket);

        JsonElement greeting = peer.Read()!.Value.GetProperty("QMP");
        greeting.GetProperty("version").GetProperty("qemu").GetProperty("major").GetInt32().Should().Be(7);
        greeting.GetProperty("version").GetProperty("package").GetString().Should().StartWith("vmm-");
        greeting.GetProperty("capabilities").GetArrayLength().Should().Be(0);

        Expect(peer.Execute("query-status"), QmpErrorClass.CommandNotFound, "Expecting capabilities negotiation with 'qmp_capabilities'");
        other.Execute("stop");
        peer.Execute("qmp_capabilities").TryGetProperty("return", out _).Should().BeTrue("no event comes before it");
        Expect(peer.Execute("qmp_capabilities"), QmpErrorClass.CommandNotFound, "Capabilities negotiation is already complete, command ignored");
        other.Execute("cont");
        peer.Read()!.Value.GetProperty("event").GetString().Should().Be("RESUME");
    }

    [Theory]
    [InlineData("""{"execute":"query-name","id":1}""", "1")]
    [InlineData("""{"id":{"a" : [1, "x"],"b":null},"execute":"query-name"}""", """{"a":[1,"x"],"b":null}""")]
    [InlineData("""{"execute":"query-name","id":null}""", "null")]
    [InlineData("""{"execute":"nope","id":"é"}""", "\"é\"")]
    [InlineData("""{"execute":"query-name","extra":1,"id":7}""", "7")]
    public void Id_OfARequest_IsRepeated(string request, string id)
    {
        using QmpPeer peer = _guest.Connect();

        peer.Send(request);

        JsonElement reply = peer.Read()!.Value;
        JsonElement.DeepEquals(reply.GetProperty("id"), JsonDocument.Parse(id).RootElement).Should().BeTrue(reply.GetRawText());
    }

    [Fact]
    public void Requests_InPiecesAndSeveralAtOnce_AreAnsweredInOrder()
    {
        using QmpPeer peer = _guest.Connect();

        foreach (char c in "{\"execute\":\r\n  \"query-name\" , \"id\":1}")
        {
            peer.Send(c.ToString());
        }

        peer.Send("""{"execute":"query-status","id":2}{"execute":"nope","id":3}   true {"execute":"query-name","id":4}""");

        Ids(4).Should().Equal("1", "2", "3", "-");
        peer.Read()!.Value.GetProperty("id").GetInt32().Should().Be(4);

        IEnumerable<string> Ids(int count)
            => Enumerable.Range(0, count).Select(_ => peer.Read()!.Value.TryGetProperty("id", out JsonElement id) ? id.GetRawText() : "-").ToArray();
    }

    [Theory]
    [InlineData("hello\n")]
    [InlineData("{\"execute\": query}\n")]
    [InlineData("{\"execute\":\"query-name\",}\n")]
    [InlineData("{\"execute\":\"query-name\", \"execute\":\"stop\"}\n")]
    [InlineData("{\"execute\":\"query-\u0001name\"")]
    [InlineData("]")]
    [InlineData(",")]
    public void Json_Malformed_IsRefusedAndTheNextRequestIsNot(string text)
    {
        using QmpPeer peer = _guest.Connect();

        peer.Send(text);
        JsonElement error = peer.Read()!.Value.GetProperty("error");
        error.GetProperty("class").GetString().Should().Be(QmpErrorClass.Generic);
        error.GetProperty("desc").GetString().Should().StartWith("JSON parse error, ");

        // What is left of the line may be wrong as well.
        peer.Send("\n{\"execute\":\"query-name\",\"id\":\"after\"}");
        Wait.Until(() => peer.Read()!.Value.TryGetProperty("id", out JsonElement id) && id.GetString() == "after", () => "the next reply");
    }

    [Fact]
    public void Request_LongerThanTheLimit_EndsThatConnectionAlone()
    {
        using QmpPeer other = _guest.Connect();
        using QmpPeer peer = _guest.Connect();

        byte[] endless = new byte[64 << 10];
        endless.AsSpan().Fill((byte)' ');
        "{"u8.CopyTo(endless);
        int sent = 0;
        for (int more; sent <= QmpClient.MaxInput + (64 << 10) && (more = peer.TrySend(endless, patience: 30_000)) > 0; sent += more)
        {
            endless[0] = (byte)' ';
        }

        peer.Read()!.Value.GetProperty("error").GetProperty("desc").GetString().Should().Be("JSON parse error, the request is longer than 1048576 bytes");
        peer.Read().Should().BeNull();
        other.Execute("query-name").TryGetProperty("return", out _).Should().BeTrue();
    }

    [Fact]
    public void Client_ThatSendsAndDoesNotRead_HoldsUpNobody()
    {
        using QmpPeer other = _guest.Connect();
        using QmpPeer flood = _guest.Connect();
        byte[] many = [.. Enumerable.Repeat("{\"execute\":\"query-commands\"}\n"u8.ToArray(), 1000).SelectMany(bytes => bytes)];

        // Until the server takes no more of them, because it can't get rid of the answers.
        int taken = 0;
        while (flood.TrySend(many) == many.Length)
        {
            taken++;
            other.Execute("query-name").TryGetProperty("return", out _).Should().BeTrue();
            taken.Should().BeLessThan(1000, "what waits for a client has a limit");
        }

        other.Execute("query-status").GetProperty("return").GetProperty("running").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public void Client_ThatEndsItsInput_GetsAllAnswers()
    {
        using QmpPeer peer = _guest.Connect();

        peer.Send("""{"execute":"query-name"}{"execute":"query-status"}{"execute":""");
        peer.EndInput();

        peer.Read()!.Value.GetProperty("return").GetProperty("name").GetString().Should().Be("vm");
        peer.Read()!.Value.GetProperty("return").GetProperty("status").GetString().Should().Be("running");
        peer.Read().Should().BeNull();
    }

    [Fact]
    public void Clients_MoreThanThereIsRoomFor_WaitForAPlace()
    {
        List<QmpPeer> peers = [.. Enumerable.Range(0, QmpServer.MaxClients).Select(_ => _guest.Connect())];
        using QmpPeer late = new(_guest.Socket);
        peers[0].Execute("query-name").TryGetProperty("return", out _).Should().BeTrue();

        peers[5].Dispose();

        late.Read()!.Value.TryGetProperty("QMP", out _).Should().BeTrue();
        peers.ForEach(peer => peer.Dispose());
    }

    private static void Expect(JsonElement reply, string errorClass, string description)
    {
        JsonElement error = reply.GetProperty("error");
        error.GetProperty("class").GetString().Should().Be(errorClass);
        error.GetProperty("desc").GetString().Should().Be(description);
    }
}
