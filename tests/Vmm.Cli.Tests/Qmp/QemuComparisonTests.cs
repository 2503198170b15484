using System.Text.Json;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>The same requests to QEMU and to vmm: refusals are the same word for word, replies have the same members of the same kinds.</summary>
public sealed class QemuComparisonTests : IDisposable
{
    private const string Qemu = "qemu-system-x86_64";

    /// <summary>Said to a client that has not negotiated, in this order.</summary>
    private static readonly string[] _first =
    [
        """{"execute":"query-status"}""",
        """{"execute":"nope","id":{"a":[1,null]}}""",
        """{"execute":"qmp_capabilities","arguments":{"enable":[]},"id":1}""",
        """{"execute":"qmp_capabilities"}""",
    ];

    private static readonly string[] _refused =
    [
        "[1,2]",
        "\"a\"\n",
        "12\n",
        "{}",
        """{"execute":3}""",
        """{"execute":"query-status","arguments":3,"id":5}""",
        """{"execute":"query-status","extra":3,"id":"q"}""",
        """{"execute":"query-status","arguments":{"x":1}}""",
        """{"execute":"nope"}""",
        """{"exec-oob":"query-name","id":1}""",
        """{"execute":"set_link"}""",
        """{"execute":"set_link","arguments":{"name":3,"up":true}}""",
        """{"execute":"set_link","arguments":{"name":"net0"}}""",
        """{"execute":"set_link","arguments":{"name":"net0","up":"yes"}}""",
        """{"execute":"set_link","arguments":{"name":"net0","up":true,"z":1}}""",
        """{"execute":"set_link","arguments":{"name":"net9","up":true}}""",
        """{"execute":"query-rx-filter","arguments":{"name":"net9"}}""",
        """{"execute":"query-rx-filter","arguments":{"name":[]}}""",
    ];

    private static readonly string[] _answered =
    [
        """{"execute":"query-version"}""",
        """{"execute":"query-name","id":null}""",
        """{"execute":"query-commands"}""",
        """{"execute":"query-cpus-fast"}""",
        """{"execute":"query-memory-size-summary"}""",
        """{"execute":"query-rx-filter"}""",
        """{"execute":"query-rx-filter","arguments":{"name":"net0"}}""",
        """{"execute":"set_link","arguments":{"name":"net0","up":false}}""",
        """{"execute":"query-status","id":"x"}""",
    ];

    private readonly TemporaryFolder _folder = new();
    private readonly VmmProcess _qemu;
    private readonly QmpGuest _guest;

    public QemuComparisonTests()
    {
        Host.RequireKvm();
        Host.RequireTool(Qemu);
        _qemu = VmmProcess.StartProgram(
            Qemu,
            "-M", "q35", "-accel", "tcg", "-m", "64", "-smp", "2", "-nodefaults", "-display", "none", "-name", "vm",
            "-netdev", "user,id=wire", "-device", "virtio-net-pci,id=net0,netdev=wire", "-qmp", $"unix:{_folder["qemu"]},server=on,wait=off");
        _guest = new QmpGuest("--cpus", "2", "--net", "none");
    }

    public void Dispose()
    {
        _guest.Dispose();
        _qemu.Dispose();
        _folder.Dispose();
    }

    [Fact]
    public void Requests_ThatAreRefused_AreRefusedInTheSameWords()
    {
        using QmpPeer theirs = ConnectToQemu();
        using QmpPeer ours = ConnectToVmm();
        theirs.Read();
        ours.Read();

        foreach (string request in (string[])[.. _first, .. _refused])
        {
            (JsonElement expected, JsonElement actual) = Ask(theirs, ours, request);

            JsonElement.DeepEquals(actual, expected).Should().BeTrue("to {0} QEMU says {1} and vmm {2}", request, expected, actual);
        }
    }

    [Fact]
    public void Replies_AndEvents_HaveTheSameMembers()
    {
        using QmpPeer theirs = ConnectToQemu();
        using QmpPeer ours = ConnectToVmm();
        Shape(ours.Read()!.Value).Should().Be(Shape(theirs.Read()!.Value).Replace("capabilities:[String]", "capabilities:[]", StringComparison.Ordinal));
        Ask(theirs, ours, """{"execute":"qmp_capabilities"}""");

        foreach (string request in _answered)
        {
            (JsonElement expected, JsonElement actual) = Ask(theirs, ours, request);

            // A list that is empty on one side has no elements to compare.
            Shape(actual).Should().Be(Shape(expected).Replace("vlan-table:[Number]", "vlan-table:[]", StringComparison.Ordinal), request);
        }

        // The same events before the same replies.
        foreach (string command in (string[])["stop", "stop", "cont", "cont"])
        {
            string request = $$"""{"execute":"{{command}}"}""";
            theirs.Send(request);
            ours.Send(request);
            Shapes(ours).Should().Equal(Shapes(theirs), command);
        }

        // QEMU says it before its reply to quit or after it, as it happens.
        theirs.Send("""{"execute":"quit"}""");
        ours.Send("""{"execute":"quit"}""");
        Shape(ours.ReadEvent("SHUTDOWN")).Should().Be(Shape(theirs.ReadEvent("SHUTDOWN")));
    }

    /// <summary>The shapes of all messages up to the next reply.</summary>
    private static List<string> Shapes(QmpPeer peer)
    {
        List<string> shapes = [];
        JsonElement message;
        do
        {
            message = peer.Read()!.Value;
            shapes.Add(Shape(message) + (message.TryGetProperty("event", out JsonElement name) ? name.GetString() : ""));
        }
        while (!message.TryGetProperty("return", out _));

        return shapes;
    }

    /// <summary>Names and kinds in the order of the alphabet; a list is as its first element.</summary>
    private static string Shape(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.Object => $"{{{string.Join(',', value.EnumerateObject().OrderBy(member => member.Name, StringComparer.Ordinal).Select(member => $"{member.Name}:{Shape(member.Value)}"))}}}",
        JsonValueKind.Array => $"[{string.Join(',', value.EnumerateArray().Take(1).Select(Shape))}]",
        JsonValueKind.True or JsonValueKind.False => "Boolean",
        _ => value.ValueKind.ToString(),
    };

    private static (JsonElement Theirs, JsonElement Ours) Ask(QmpPeer theirs, QmpPeer ours, string request)
    {
        theirs.Send(request);
        ours.Send(request);
        return (theirs.ReadReply(), ours.ReadReply());
    }

    private QmpPeer ConnectToQemu() => Connect(_folder["qemu"], _qemu);

    private QmpPeer ConnectToVmm() => Connect(_guest.Socket, _guest.Process);

    private static QmpPeer Connect(string path, VmmProcess process)
    {
        QmpPeer? peer = null;
        Wait.Until(() => (peer = QmpPeer.TryConnect(path)) is not null || process.HasExited, () => $"{path}: {process.Error}");
        return peer ?? throw new InvalidOperationException(process.Error);
    }
}
