using System.Text.Json;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Core.State;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>A server whose clients another server goes on with, as after a live update.</summary>
public sealed class HandOverTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly List<QmpServer> _servers = [];

    private string Path => _folder["q"];

    public void Dispose()
    {
        _servers.ForEach(server => server.Dispose());
        _folder.Dispose();
    }

    [Fact]
    public void Clients_OfAServerThatIsHandedOver_NoticeNothing()
    {
        QmpServer first = Make(new UnixListener(Path), "first");
        using QmpPeer half = QmpPeer.Negotiated(Path);
        using QmpPeer waiting = QmpPeer.Negotiated(Path);
        using QmpPeer fresh = new(Path);
        using QmpPeer gone = QmpPeer.Negotiated(Path);
        fresh.Read();

        // One in the middle of a request, one with a command under way and the next one behind it.
        half.Send("""{"execute":"query-name","id":"wh""");
        waiting.Send("""{"execute":"slow","id":{"n":1}}{"execute":"query-name","id":2}""");
        Wait.Until(() => first.PendingCalls.Count == 1, () => "the long command");
        first.Suspend();
        first.Emit(QmpEvent.Migration("device"));
        half.Send("""ole"}""");
        gone.Dispose();

        QmpServer second = HandOver(first, "second");
        second.Emit(QmpEvent.Resume);
        second.Resume();

        half.Read()!.Value.GetProperty("data").GetProperty("status").GetString().Should().Be("device");
        half.Read()!.Value.GetProperty("event").GetString().Should().Be("RESUME");
        JsonElement reply = half.Read()!.Value;
        reply.GetProperty("id").GetString().Should().Be("whole");
        Name(reply).Should().Be("second");

        QmpCall call = second.PendingCalls.Should().ContainSingle().Subject;
        call.Command.Should().Be("slow");
        call.Complete();
        JsonElement late = waiting.ReadReply();
        late.GetProperty("id").GetRawText().Should().Be("""{"n":1}""");
        late.GetProperty("return").GetRawText().Should().Be("{}");
        JsonElement behind = waiting.ReadReply();
        behind.GetProperty("id").GetInt32().Should().Be(2);
        Name(behind).Should().Be("second");

        // Who had not negotiated still has to, and gets no events.
        fresh.Execute("query-name").GetProperty("error").GetProperty("class").GetString().Should().Be(QmpErrorClass.CommandNotFound);
        using QmpPeer newcomer = QmpPeer.Negotiated(Path);
        Name(newcomer.Execute("query-name")).Should().Be("second");
    }

    [Fact]
    public void Output_ThatAClientHasNotTaken_GoesWithIt()
    {
        QmpServer first = Make(new UnixListener(Path), "first");
        using QmpPeer peer = QmpPeer.Negotiated(Path);

        // More than the socket holds.
        const int Events = 8000;
        for (int i = 0; i < Events; i++)
        {
            first.Emit(QmpEvent.Migration($"step-{i}"));
        }

        first.Suspend();
        QmpServer second = HandOver(first, "second");
        second.Resume();

        for (int i = 0; i < Events; i++)
        {
            peer.Read()!.Value.GetProperty("data").GetProperty("status").GetString().Should().Be($"step-{i}");
        }

        Name(peer.Execute("query-name")).Should().Be("second");
    }

    [Fact]
    public void Socket_OfAServerThatIsHandedOver_StaysUntilTheLastOneEnds()
    {
        QmpServer server = Make(new UnixListener(Path), "0");
        using QmpPeer peer = QmpPeer.Negotiated(Path);
        for (int i = 1; i <= 20; i++)
        {
            server.Suspend();
            server = HandOver(server, $"{i}");
            server.Resume();
            Name(peer.Execute("query-name")).Should().Be($"{i}");
            File.Exists(Path).Should().BeTrue();
        }

        server.Close(QmpEvent.Shutdown(new Vmm.Cli.Qmp.Replies.ShutdownCause(true, "guest-shutdown")));

        peer.ReadEvent("SHUTDOWN").GetProperty("data").GetRawText().Should().Be("""{"guest":true,"reason":"guest-shutdown"}""");
        peer.Read().Should().BeNull();
        File.Exists(Path).Should().BeFalse();
    }

    [Fact]
    public void HandOver_ThatFails_LeavesTheOldServerAsItWas()
    {
        QmpServer server = Make(new UnixListener(Path), "first");
        using QmpPeer peer = QmpPeer.Negotiated(Path);
        server.Suspend();
        peer.Send("""{"execute":"query-name"}""");
        _ = Save(server);

        server.Resume();

        Name(peer.ReadReply()).Should().Be("first");
    }

    [Fact]
    public void State_CutAnywhere_IsRefused()
    {
        QmpServer server = Make(new UnixListener(Path), "first");
        using QmpPeer peer = QmpPeer.Negotiated(Path);
        peer.Send("""{"execute":"slow","id":5}{"exec""");
        Wait.Until(() => server.PendingCalls.Count == 1, () => "the long command");
        server.Suspend();
        StateBuffer saved = Save(server);
        saved.Descriptors.Should().HaveCount(2);

        for (int length = 0; length < saved.Length; length++)
        {
            Action load = () => Load(Make(null, "second"), saved.Written[..length].ToArray(), saved.Descriptors);
            load.Should().Throw<StateException>("{0} of {1} bytes are not enough", length, saved.Length);
        }

        Action poor = () => Load(Make(null, "second"), saved.Written.ToArray(), [saved.Descriptors[0]]);
        poor.Should().Throw<StateException>().WithMessage("*socket*did not come*");
    }

    [Fact]
    public async Task Client_ThatReadsNoEvents_IsLetGoAndTheOthersAreNot()
    {
        QmpServer server = Make(new UnixListener(Path), "first");
        using QmpPeer sleeper = QmpPeer.Negotiated(Path);
        using QmpPeer reader = QmpPeer.Negotiated(Path);

        int read = 0;
        Task reading = Task.Run(() =>
        {
            while (reader.Read()!.Value.GetProperty("data").GetProperty("status").GetString() != "last")
            {
                Interlocked.Increment(ref read);
            }
        });
        for (int i = 0; i < 40_000; i++)
        {
            server.Emit(QmpEvent.Migration("active"));
            if (i % 1000 == 0)
            {
                // As fast as somebody can read who does: what waits for a client that is kept from its CPU has the same limit.
                Wait.Until(() => Volatile.Read(ref read) > i - 3000, () => "the reader");
            }
        }

        server.Emit(QmpEvent.Migration("last"));

        await reading.WaitAsync(TimeSpan.FromSeconds(30), TestContext.Current.CancellationToken);
        Name(reader.Execute("query-name")).Should().Be("first");
        int heard = 0;
        while (sleeper.Read() is not null)
        {
            heard++;
        }

        heard.Should().BeLessThan(40_000);
    }

    [Fact]
    public void LongCommands_UnderWay_LeaveOtherClientsAlone()
    {
        QmpServer server = Make(new UnixListener(Path), "first");
        using QmpPeer slow = QmpPeer.Negotiated(Path);
        using QmpPeer other = QmpPeer.Negotiated(Path);

        slow.Send("""{"execute":"slow","id":1}""");
        Wait.Until(() => server.PendingCalls.Count == 1, () => "the long command");
        Name(other.Execute("query-name")).Should().Be("first");
        server.PendingCalls[0].Fail(new QmpException("it came to nothing"));

        JsonElement reply = slow.ReadReply();
        reply.GetProperty("id").GetInt32().Should().Be(1);
        reply.GetProperty("error").GetProperty("desc").GetString().Should().Be("it came to nothing");
    }

    private static string Name(JsonElement reply) => reply.GetProperty("return").GetProperty("name").GetString()!;

    private static StateBuffer Save(QmpServer server)
    {
        StateBuffer buffer = new();
        server.CreateStateSection().Save(buffer, 1);
        return buffer;
    }

    private static void Load(QmpServer server, byte[] bytes, IReadOnlyList<FileDescriptor> files)
    {
        IStateSection section = server.CreateStateSection();
        StateInput input = new(bytes, files);
        section.Load(ref input, 1);
        input.Left.Should().Be(0);
        section.Apply();
        server.TakeOver();
    }

    /// <summary>A server that says its name, and has a command that takes as long as the test likes.</summary>
    private QmpServer Make(UnixListener? listener, string name)
    {
        QmpServer server = new(listener);
        _servers.Add(server);
        server.Commands.Add("query-name", _ => new Vmm.Cli.Qmp.Replies.NameInfo(name), QmpJson.Default.NameInfo);
        server.Commands.AddLong("slow", (arguments, _) => arguments.End());
        if (listener is not null)
        {
            server.Resume();
        }

        return server;
    }

    /// <summary>As it goes through a socket: the bytes, and files of the next process's own.</summary>
    private QmpServer HandOver(QmpServer from, string name)
    {
        StateBuffer saved = Save(from);
        QmpServer server = Make(null, name);
        Load(server, saved.Written.ToArray(), [.. saved.Descriptors.Select(file => file.Duplicate())]);
        from.Abandon();
        return server;
    }
}
