using System.Text.Json;
using Tmds.Linux;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A guest under traffic with a QMP client, whose live updates go through an <see cref="Harness.Interposer"/>, and what can be seen of its processes.</summary>
internal sealed class UpdatedGuest : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly EchoLoad _load;

    /// <param name="behind">See <see cref="Harness.Interposer"/>.</param>
    /// <param name="net">More for the network device.</param>
    /// <param name="options">More options of <c>vmm run</c>.</param>
    public UpdatedGuest(bool behind = false, string net = "", params string[] options)
    {
        Interposer = new Interposer(_folder, behind);
        Guest = GuestOnTap.Start(net, options: ["--qmp", _folder["q"], .. options]);
        Source = Guest.Process.Id;
        Inhabitants = new Inhabitants(Guest.Network);
        Peer = QmpPeer.Negotiated(_folder["q"]);
        SetTimeouts();
        _load = new EchoLoad(Guest);
    }

    public Interposer Interposer { get; }

    public GuestOnTap Guest { get; }

    public QmpPeer Peer { get; }

    public Inhabitants Inhabitants { get; }

    /// <summary>The process that runs the guest when an update begins.</summary>
    public int Source { get; private set; }

    /// <summary>The process of the last update that began.</summary>
    public int Destination { get; private set; }

    public int Answered => _load.Answered;

    public QmpPeer Connect() => QmpPeer.Negotiated(_folder["q"]);

    /// <summary>How long the steps may take, in milliseconds.</summary>
    public void SetTimeouts(int verdict = 20_000, int prepare = 20_000, int state = 20_000, int downtime = 20_000)
        => Peer.Execute("migrate-set-parameters", $$"""{ "verdict-timeout":{{verdict}}, "prepare-timeout":{{prepare}}, "state-timeout":{{state}}, "downtime-limit":{{downtime}} }""")
            .GetProperty("return").GetRawText().Should().Be("{}");

    /// <summary>What to do when a message of that type comes by; see <see cref="Harness.Interposer.OnMessage"/>.</summary>
    public void At(string type, Func<InterposedUpdate, PassingMessage, IEnumerable<PassingMessage>> action) => Interposer.OnMessage = (update, message) =>
    {
        Destination = update.Destination;
        return message.Type.ToString() == type ? action(update, message) : [message];
    };

    /// <summary>Begins an update through the interposer; the reply is the next one that <see cref="Peer"/> reads.</summary>
    public void Begin() => Peer.Send($$"""{"execute":"live-update","arguments":{"binary":{{JsonSerializer.Serialize(Interposer.Binary)}} } }""");

    /// <summary>An update in which one message is tampered with: why it failed. The guest is where it was.</summary>
    /// <param name="type">Of the message.</param>
    /// <param name="tamper">Changes it.</param>
    public string UpdateWrongly(string type, Action<PassingMessage> tamper) => UpdateWrongly(type, message =>
    {
        tamper(message);
        return [message];
    });

    /// <summary>The same; other messages can go on in its place.</summary>
    public string UpdateWrongly(string type, Func<PassingMessage, IEnumerable<PassingMessage>> tamper)
    {
        At(type, (_, message) => tamper(message));
        Begin();
        JsonElement reply = Peer.ReadReply();
        reply.TryGetProperty("error", out JsonElement error).Should().BeTrue(reply.GetRawText());
        Wait.Until(() => Inhabitants.All.SequenceEqual([Source]), () => "the destination to end");
        JsonElement status = Peer.Execute("query-status").GetProperty("return");
        status.GetProperty("running").GetBoolean().Should().BeTrue();
        return error.GetProperty("desc").GetString()!;
    }

    /// <summary>An update that nothing disturbs.</summary>
    public void Update()
    {
        JsonElement reply = Peer.Execute("live-update", $$"""{"binary":{{JsonSerializer.Serialize(Host.Binary)}} }""");
        reply.TryGetProperty("return", out JsonElement result).Should().BeTrue(reply.GetRawText());
        Source = result.GetProperty("pid").GetInt32();
    }

    /// <summary>The guest is run by that process and no other, with its wire, its memory and its control plane; what traffic there was is all answered.</summary>
    public void ExpectRunBy(int process, string migration)
    {
        Wait.Until(() => Inhabitants.WithCpus.SequenceEqual([process]), () => $"{process} to have the only vCPUs: {Describe()}");
        Wait.Until(() => Inhabitants.WithTap(GuestOnTap.Interface).Distinct().SequenceEqual([process]), () => $"{process} to have the TAP alone: {Describe()}");
        int before = Answered;
        Wait.Until(() => Answered > before + 20, () => $"traffic to go on: {Describe()}");
        JsonElement status = Peer.Execute("query-status").GetProperty("return");
        (status.GetProperty("running").GetBoolean(), status.GetProperty("status").GetString()).Should().Be((true, "running"));
        JsonElement info = Peer.Execute("query-migrate").GetProperty("return");
        info.GetProperty("status").GetString().Should().Be(migration);
        info.TryGetProperty("error-desc", out JsonElement reason).Should().Be(migration == "failed");
        if (migration == "failed")
        {
            reason.GetString().Should().NotBeNullOrEmpty();
        }

        _load.Stop().Should().Be((0, 0, 0), "nothing may be lost, duplicated or corrupted");
        Guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    /// <summary>Nothing is left of the machine.</summary>
    public void ExpectNothingLeft()
    {
        Wait.Until(() => Inhabitants.All.Count == 0, () => $"all processes to end: {Describe()}");
        Guest.Network.FindLink(GuestOnTap.Interface).Should().BeNull();
    }

    /// <summary>It ends when it is told to, and leaves nothing.</summary>
    public void Quit()
    {
        Peer.Execute("quit").TryGetProperty("return", out _).Should().BeTrue();
        ExpectNothingLeft();
    }

    public void Dispose()
    {
        foreach (int id in Inhabitants.All)
        {
            _ = LibC.kill(id, LibC.SIGKILL);
        }

        _load.Dispose();
        Peer.Dispose();
        Guest.Dispose();
        _folder.Dispose();
        Interposer.Dispose();
    }

    private string Describe()
        => $"processes {string.Join(' ', Inhabitants.All)}, with vCPUs {string.Join(' ', Inhabitants.WithCpus)}, with the TAP {string.Join(' ', Inhabitants.WithTap(GuestOnTap.Interface))}; {Guest.Process.Error}";
}
