using System.Globalization;
using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Vmm.Backends.Tap;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary>A machine goes from one <c>vmm run</c> to another, or into a file and out of it: real processes, a real TAP.</summary>
public sealed class MigrateTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public MigrateTests() => Host.RequireNetwork();

    private string SourceSocket => _folder["source"];

    private string DestinationSocket => _folder["destination"];

    private string Channel => $"unix:{_folder["channel"]}";

    public void Dispose() => _folder.Dispose();

    /// <summary>The destination is in another network namespace, and in another user's shoes would do as well: it opens nothing.</summary>
    [Fact]
    public void Migrate_WithBackendTransfer_TheGuestGoesOnWithTheSameTap()
    {
        using GuestOnTap guest = GuestOnTap.Start("queues=2", "queues=2", "--qmp", SourceSocket);
        using VmmProcess destination = Await(Channel);
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);
        Status(there).Should().Be("inmigrate");

        source.Execute("migrate", $$"""{"uri":"{{Channel}}","backend-transfer":["net0"]}""").TryGetProperty("return", out _).Should().BeTrue();

        Migrated(source).GetProperty("phases").GetProperty("downtime").GetDouble().Should().BePositive();
        Migrated(there);
        (Status(source), Status(there)).Should().Be(("postmigrate", "running"));
        Error(source.Execute("cont")).Should().Contain("can't go on here");
        Error(source.Execute("migrate", $$"""{"uri":"{{Channel}}"}""")).Should().Contain("Another process runs this guest");
        guest.RequestStatus().CheckErrors.Should().Be(0);

        source.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
        guest.RequestStatus().CheckErrors.Should().Be(0);
        there.Execute("quit");
        destination.WaitForExit().Should().Be(0, destination.Error);
    }

    /// <summary>A user namespace of its own: no capability over the TAP's network namespace, nor over anything else here.</summary>
    [Fact]
    public void Migrate_ToADestinationWithoutPrivileges_TheTapGoesOnAllTheSame()
    {
        Host.RequireTool("unshare");
        using GuestOnTap guest = GuestOnTap.Start("queues=2", "queues=2", "--qmp", SourceSocket);
        using VmmProcess destination = VmmProcess.StartProgram("unshare", ["--user", "--net", Host.Binary, .. Incoming(Channel)]);
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);
        Regex.Match(File.ReadAllText($"/proc/{destination.Id.ToString(CultureInfo.InvariantCulture)}/status"), @"CapEff:\s*(\w+)").Groups[1].Value
            .Should().Be("0000000000000000");

        source.Execute("migrate", $$"""{"uri":"{{Channel}}","backend-transfer":true}""");

        Migrated(source);
        source.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
        using UdpEchoClient udp = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
        EchoReport report = udp.Run(2000, 16, 64, TimeSpan.FromSeconds(10));
        (report.Lost, report.Corrupted, report.Duplicated).Should().Be((0, 0, 0));
        there.Execute("set_link", """{"name":"net0","up":false}""").GetRawText().Should().Contain("return");
        there.Execute("quit");
        destination.WaitForExit().Should().Be(0, destination.Error);
    }

    [Fact]
    public void Migrate_OneOfTwoCards_TheOtherGetsAnotherTap()
    {
        using GuestOnTap guest = GuestOnTap.Start("", "ip1=10.0.1.2", "--net", "tap,ifname=t1", "--qmp", SourceSocket);
        using VmmProcess destination = VmmProcess.StartIn(guest.Network.Namespace, Incoming(Channel, "--net", "tap,id=net1,ifname=t2"));
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);

        source.Execute("migrate", $$"""{"uri":"{{Channel}}","backend-transfer":["net0"]}""");
        Migrated(source);
        Migrated(there);
        source.Execute("quit");
        guest.Process.WaitForExit();

        guest.RequestStatus().CheckErrors.Should().Be(0);
        guest.Network.FindLink("t1").Should().BeNull();
        guest.Network.Namespace.Run(() => NetworkLink.AddIPAddress("t2", IPAddress.Parse("10.0.1.1"), 24));
        using IcmpEchoClient ping = guest.Open(() => new IcmpEchoClient(IPAddress.Parse("10.0.1.2")));
        ping.Run(10, 1, 56, TimeSpan.FromSeconds(2)).Lost.Should().Be(0);
        there.Execute("quit");
        destination.WaitForExit().Should().Be(0, destination.Error);
    }

    [Theory]
    [InlineData("tcp")]
    [InlineData("file")]
    [InlineData("exec")]
    public void Migrate_AsBytes_TheGuestGoesOnOnAnotherTap(string scheme)
    {
        (string to, string from) = scheme switch
        {
            "tcp" => ("tcp:127.0.0.1:47311", "tcp:127.0.0.1:47311"),
            "file" => ($"file:{_folder["state"]}", $"file:{_folder["state"]}"),
            _ => ($"exec:gzip -1 >{_folder["state"]}", $"exec:gzip -d <{_folder["state"]}"),
        };
        using GuestOnTap guest = GuestOnTap.Start("", "", "--qmp", SourceSocket);
        guest.Network.Namespace.Run(() => NetworkLink.SetUp("lo"));
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        VmmProcess? destination = scheme == "tcp" ? VmmProcess.StartIn(guest.Network.Namespace, Incoming(from, "--net", "tap,ifname=t1")) : null;
        if (destination is not null)
        {
            QmpPeer.Negotiated(DestinationSocket).Dispose();
        }

        ulong before = guest.RequestStatus().CheckPasses;
        source.Execute("migrate", $$"""{"uri":{{JsonSerializer.Serialize(to)}}}""");
        Migrated(source).GetProperty("transferred").GetInt64().Should().BePositive();
        Status(source).Should().Be(scheme == "tcp" ? "postmigrate" : "paused");
        source.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);

        destination ??= VmmProcess.StartIn(guest.Network.Namespace, Incoming(from, "--net", "tap,ifname=t1"));
        using (destination)
        {
            using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);
            Wait.Until(() => Status(there) == "running" || destination.HasExited, () => destination.Error);
            guest.Network.Namespace.Run(() => NetworkLink.AddIPAddress("t1", IPAddress.Parse("10.0.0.1"), 24));
            Wait.Until(() => guest.RequestStatus() is { CheckErrors: 0 } status && status.CheckPasses >= before, () => destination.Error);
            there.Execute("quit");
            destination.WaitForExit().Should().Be(0, destination.Error);
        }
    }

    [Fact]
    public void Migrate_IntoAFile_ThatGuestGoesOnWhenTheUserSaysSo()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", SourceSocket]);
        string file = _folder["state"];

        (int code, string output, string error) = VmmProcess.Run("migrate", SourceSocket, $"file:{file}");

        (code, error).Should().Be((0, ""));
        output.Should().Contain("Here it is paused");
        VmmProcess.Run("inspect", file).Output.Should().Contain("net0/virtio-net").And.Contain("ram");
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        source.Execute("cont").TryGetProperty("return", out _).Should().BeTrue();
        guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    [Fact]
    public void Migrate_BackEndsThroughAChannelWithoutFiles_IsRefusedByName()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", SourceSocket]);

        VmmProcess.Run("migrate", SourceSocket, $"file:{_folder["state"]}", "--backend-transfer", "all")
            .Should().Be((1, "", $"vmm: {SourceSocket}: file:{_folder["state"]} carries no open files, so the back end of net0 can't move through it: use a UNIX socket, or leave backend-transfer out.\n"));
        guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    [Fact]
    public void Migrate_ToNobody_FailsAndTheGuestRunsOn()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", SourceSocket]);

        (int code, _, string error) = VmmProcess.Run("migrate", SourceSocket, Channel);

        code.Should().Be(1);
        error.Should().Contain(_folder["channel"]).And.Contain("Nobody listens there").And.NotContain("Exception");
        guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    /// <summary>Every reason at once, and the destination ends with them.</summary>
    [Fact]
    public void Migrate_WhatDoesNotFit_IsRefusedWithEveryReason()
    {
        using GuestOnTap guest = GuestOnTap.Start("mac=52:54:00:00:00:01,mtu=1400", options: ["--qmp", SourceSocket]);
        using VmmProcess destination = Await(Channel, "--net", "none,id=net0,mac=52:54:00:00:00:02", "--net", "none,id=eth7");
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        QmpPeer.Negotiated(DestinationSocket).Dispose();

        List<string> events = [];
        source.Execute("migrate", $$"""{"uri":"{{Channel}}"}""", events);

        Wait.Until(() => source.Execute("query-migrate", events: events).GetProperty("return").GetProperty("status").GetString() == "failed", () => "a refusal");
        events.Should().NotContain("STOP", "the guest is not paused to be refused");
        Migration(source).GetProperty("error-desc").GetString().Should()
            .Contain("net0: its address is 52:54:00:00:00:01, and --net says mac=52:54:00:00:00:02")
            .And.Contain("eth7: the source has no device of this id");
        destination.WaitForExit().Should().Be(125);
        destination.Error.Should().Contain("eth7");
        guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    [Fact]
    public void Incoming_Deferred_BeginsWhenAClientSaysWhere()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", SourceSocket]);
        using VmmProcess destination = Await("defer");
        using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);
        using QmpPeer source = QmpPeer.Negotiated(SourceSocket);
        Error(source.Execute("migrate-incoming", $$"""{"uri":"{{Channel}}"}""")).Should().Be("'-incoming' was not specified on the command line");
        Error(there.Execute("migrate-incoming", """{"uri":"bogus:1"}""")).Should().Contain("'bogus:1' is no place");

        there.Execute("migrate-incoming", $$"""{"uri":"{{Channel}}"}""");
        Error(there.Execute("migrate-incoming", $$"""{"uri":"{{Channel}}"}""")).Should().Be("The incoming migration has already been started");
        source.Execute("migrate", $$"""{"uri":"{{Channel}}","backend-transfer":true}""");

        there.ReadEvent("RESUME");
        source.ReadEvent("STOP");
        Migrated(source);
        guest.RequestStatus().CheckErrors.Should().Be(0);
    }

    [Fact]
    public void Incoming_EndedBeforeAnythingCame_LeavesNothing()
    {
        using VmmProcess destination = Await(Channel);
        using QmpPeer there = QmpPeer.Negotiated(DestinationSocket);

        there.Execute("quit");

        destination.WaitForExit().Should().Be(0, destination.Error);
        File.Exists(_folder["channel"]).Should().BeFalse();
        File.Exists(DestinationSocket).Should().BeFalse();
    }

    [Theory]
    [InlineData("--incoming", "bogus", "'bogus' is no place")]
    [InlineData("--kernel", "demo", "--kernel does not go with --incoming")]
    [InlineData("--memory", "64M", "--memory does not go with --incoming")]
    [InlineData("--cpus", "2", "--cpus does not go with --incoming")]
    public void Incoming_WhatDoesNotGoWithIt_IsACommandLineError(string option, string value, string reason)
    {
        (int code, _, string error) = VmmProcess.Run(option == "--incoming" ? ["run", option, value] : ["run", "--incoming", Channel, option, value]);

        code.Should().Be(2);
        error.Should().Contain(reason);
    }

    private VmmProcess Await(string uri, params string[] options) => VmmProcess.Start(Incoming(uri, options));

    private string[] Incoming(string uri, params string[] options) => ["run", "--incoming", uri, "--console", "none", "--qmp", DestinationSocket, .. options];

    private static JsonElement Migration(QmpPeer peer) => peer.Execute("query-migrate").GetProperty("return");

    private static JsonElement Migrated(QmpPeer peer)
    {
        JsonElement last = default;
        Wait.Until(
            () => (last = Migration(peer)).TryGetProperty("status", out JsonElement status) && status.GetString() is "completed" or "failed",
            () => last.GetRawText());
        last.GetProperty("status").GetString().Should().Be("completed", last.GetRawText());
        return last;
    }

    private static string Status(QmpPeer peer) => peer.Execute("query-status").GetProperty("return").GetProperty("status").GetString()!;

    private static string Error(JsonElement reply) => reply.GetProperty("error").GetProperty("desc").GetString()!;
}
