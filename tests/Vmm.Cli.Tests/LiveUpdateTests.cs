using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Text.Json;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary>The process is replaced under a running guest: real processes, a real TAP, real traffic.</summary>
public sealed class LiveUpdateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public LiveUpdateTests() => Host.RequireNetwork();

    private string Socket => _folder["q"];

    private static string Self => JsonSerializer.Serialize(Host.Binary);

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task LiveUpdate_UnderTrafficOnFourQueuePairs_LosesNothing()
    {
        using GuestOnTap guest = GuestOnTap.Start("queues=4", "queues=4", "--qmp", Socket);
        using QmpPeer peer = QmpPeer.Negotiated(Socket);
        using QmpPeer watcher = QmpPeer.Negotiated(Socket);
        using UdpEchoClient udp = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
        Task<EchoReport> load = Task.Factory.StartNew(() => udp.Run(100_000, 16, 64, TimeSpan.FromSeconds(10)), TaskCreationOptions.LongRunning);
        List<int> processes = [];
        for (int i = 0; i < 5; i++)
        {
            JsonElement reply = Update(peer, "{}").GetProperty("return");
            processes.Add(reply.GetProperty("pid").GetInt32());
            reply.GetProperty("phases").GetProperty("downtime").GetDouble().Should().BePositive();
        }

        EchoReport result = await load;
        (result.Lost, result.Corrupted, result.Duplicated).Should().Be((0, 0, 0));
        guest.RequestStatus().CheckErrors.Should().Be(0);

        processes.Should().OnlyHaveUniqueItems();
        Wait.Until(() => Children(guest.Process.Id).SequenceEqual([processes[^1]]), () => "only the last process to be left");
        watcher.ReadEvent("STOP");
        watcher.ReadEvent("RESUME");
        peer.Execute("query-migrate").GetProperty("return").GetProperty("status").GetString().Should().Be("completed");

        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    /// <summary>Twice, as the second one begins in a process that was executed.</summary>
    [Fact]
    public async Task LiveUpdate_ByExec_KeepsTheProcessIdAndLosesNothing()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", Socket]);
        using QmpPeer peer = QmpPeer.Negotiated(Socket);
        using UdpEchoClient udp = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
        Task<EchoReport> load = Task.Factory.StartNew(() => udp.Run(40_000, 16, 64, TimeSpan.FromSeconds(10)), TaskCreationOptions.LongRunning);
        for (int i = 0; i < 2; i++)
        {
            JsonElement reply = Update(peer, """{"mode":"exec"}""").GetProperty("return");
            reply.GetProperty("pid").GetInt32().Should().Be(guest.Process.Id);
            reply.GetProperty("phases").GetProperty("earlier-downtime").GetDouble().Should().BePositive();
        }

        EchoReport result = await load;
        (result.Lost, result.Corrupted, result.Duplicated).Should().Be((0, 0, 0));
        guest.RequestStatus().CheckErrors.Should().Be(0);
        Wait.Until(() => Children(guest.Process.Id).Length == 0, () => "the helpers to be gone");
        File.ReadAllText($"/proc/{guest.Process.Id.ToString(CultureInfo.InvariantCulture)}/cmdline").Should().Contain("incoming");

        Update(peer, "{}").GetProperty("return").GetProperty("pid").GetInt32().Should().NotBe(guest.Process.Id);
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    [Theory]
    [InlineData("transfer")]
    [InlineData("exec")]
    public void LiveUpdate_TheProcessThatWasStartedIsKilled_TheMachineEnds(string mode)
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", Socket]);
        using QmpPeer peer = QmpPeer.Negotiated(Socket);
        Update(peer, $$"""{"mode":"{{mode}}"}""").GetRawText().Should().Contain("return");

        guest.Process.Signal(9);

        guest.Process.WaitForExit().Should().Be(137);
        Wait.Until(() => guest.Network.FindLink(GuestOnTap.Interface) is null, () => "the TAP to be gone with its last user");
    }

    /// <summary>systemd's part: it is told each new main process, and nobody stays to wait.</summary>
    [Fact]
    public void LiveUpdate_OfAService_NamesTheNewMainProcessAndEnds()
    {
        string path = _folder["notify"];
        using System.Net.Sockets.Socket manager = new(System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Dgram, System.Net.Sockets.ProtocolType.Unspecified);
        manager.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(path));
        manager.ReceiveTimeout = 30_000;
        string Next()
        {
            byte[] message = new byte[256];
            return System.Text.Encoding.UTF8.GetString(message, 0, manager.Receive(message));
        }

        using VmmProcess first = VmmProcess.StartProgram("env", $"NOTIFY_SOCKET={path}", Host.Binary, "run", "--kernel", "demo", "--console", "none", "--memory", "64M", "--qmp", Socket);
        Next().Should().Be("READY=1");
        using QmpPeer peer = QmpPeer.Negotiated(Socket);

        int process = Update(peer, "{}").GetProperty("return").GetProperty("pid").GetInt32();

        Next().Should().Be($"MAINPID={process.ToString(CultureInfo.InvariantCulture)}");
        Wait.Until(() => first.HasExited, () => "the old process to end");
        peer.Execute("query-status").GetProperty("return").GetProperty("running").GetBoolean().Should().BeTrue("the machine does not end with the old process");
        peer.Execute("quit");
        Next().Should().Be("STOPPING=1");
    }

    [Fact]
    public void LiveUpdate_DryRun_LeavesTheGuestWhereItIs()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", Socket]);
        using QmpPeer peer = QmpPeer.Negotiated(Socket);

        JsonElement reply = Update(peer, """{"dry-run":true}""").GetProperty("return");

        (reply.GetProperty("accepted").GetBoolean(), reply.GetProperty("pid").GetInt32()).Should().Be((true, guest.Process.Id));
        Children(guest.Process.Id).Should().BeEmpty();
    }

    [Fact]
    public void LiveUpdate_OfADeviceThatIsNotThere_NamesIt()
    {
        using QmpGuest guest = new("--net", "none,id=wire");
        using QmpPeer peer = guest.Connect();

        Error(Update(peer, """{"backend-transfer":["net7"]}""")).Should().Be("net7: there is no such device; there are wire.");
        Error(Update(peer, """{"backend-transfer":["wire"]}""")).Should().StartWith("wire: ").And.EndWith("can't be handed to another process.");
        Error(Update(peer, """{"net":["none,id=eth0"]}""")).Should().Contain("eth0: the source has no device of this id");
        peer.Execute("query-status").GetProperty("return").GetProperty("running").GetBoolean().Should().BeTrue();
    }

    [Theory]
    [InlineData("exit 0", "the peer has closed the channel")]
    [InlineData("kill -9 $$", "the peer has closed the channel")]
    [InlineData("exec sleep 100", "has not answered within 300 ms")]
    [InlineData("kill -STOP $$", "has not answered within 300 ms")]
    public void LiveUpdate_ToAProgramThatIsNoVmm_FailsAndTheGuestRunsOn(string script, string reason)
    {
        string binary = _folder["binary"];
        File.WriteAllText(binary, $"#!/bin/sh\n{script}\n");
        File.SetUnixFileMode(binary, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", Socket]);
        using QmpPeer peer = QmpPeer.Negotiated(Socket);
        peer.Execute("migrate-set-parameters", $$"""{"verdict-timeout":{{(reason.Contains("300 ms", StringComparison.Ordinal) ? 300 : 30_000)}}}""");

        Error(peer.Execute("live-update", $$"""{"binary":{{JsonSerializer.Serialize(binary)}}}""")).Should().Contain(reason);

        Children(guest.Process.Id).Should().BeEmpty();
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("query-migrate").GetProperty("return").GetProperty("status").GetString().Should().Be("failed");
        peer.Execute("migrate-set-parameters", """{"verdict-timeout":30000}""");
        Update(peer, "{}").GetRawText().Should().Contain("return", "the next one works");
    }

    private static JsonElement Update(QmpPeer peer, string arguments)
    {
        peer.AllowLongPauses();
        return peer.Execute("live-update", arguments == "{}" ? $$"""{"binary":{{Self}}}""" : $$"""{"binary":{{Self}},{{arguments[1..]}}""");
    }

    private static string Error(JsonElement reply) => reply.GetProperty("error").GetProperty("desc").GetString()!;

    private static int[] Children(int process) =>
    [
        .. Process.GetProcesses().Where(other => ParentOf(other) == process).Select(other => other.Id),
    ];

    private static int ParentOf(Process process)
    {
        try
        {
            string status = File.ReadAllText($"/proc/{process.Id.ToString(CultureInfo.InvariantCulture)}/stat");
            return int.Parse(status[(status.LastIndexOf(')') + 4)..].Split(' ')[0], CultureInfo.InvariantCulture);
        }
        catch (IOException)
        {
            return 0;
        }
    }
}
