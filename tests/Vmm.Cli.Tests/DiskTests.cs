using System.Net;
using System.Text.Json;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary>Machines with disks and an entropy device, from start to hand-over and back: whose the image is, at any time.</summary>
public sealed class DiskTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();
    private readonly string _image;

    public DiskTests()
    {
        Host.RequireNetwork();
        _image = _folder.Write("disk.img", new byte[1 << 20]);
    }

    private string[] Options => ["--disk", $"path={_image},queues=2", "--disk", $"path={_folder.Write("data,1.img", new byte[4096]).Replace(",", ",,", StringComparison.Ordinal)},id=data,readonly=on", "--rng", "on"];

    public void Dispose() => _folder.Dispose();

    [Fact]
    public async Task LiveUpdates_UnderTraffic_KeepTheDisksAndTheirLocks()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        peer.AllowLongPauses();
        using UdpEchoClient udp = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
        Task<EchoReport> load = Task.Factory.StartNew(() => udp.Run(30_000, 16, 64, TimeSpan.FromSeconds(10)), TaskCreationOptions.LongRunning);
        foreach (string how in (string[])["{}", """{"mode":"exec"}""", """{"backend-transfer":["net0"]}""", """{"backend-transfer":["net0","disk0"]}""", "{}"])
        {
            JsonElement reply = peer.Execute("live-update", how);
            reply.TryGetProperty("return", out _).Should().BeTrue(reply.GetRawText());
            ShouldBeLocked();
        }

        EchoReport result = await load;
        (result.Lost, result.Corrupted, result.Duplicated).Should().Be((0, 0, 0));
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("query-backend-transfer").GetProperty("return").EnumerateArray().Select(device => (device.GetProperty("id").GetString(), device.GetProperty("possible").GetBoolean()))
            .Should().Equal(("net0", true), ("disk0", true), ("data", true));
        peer.Execute("live-update", """{"backend-transfer":["rng0"]}""").GetProperty("error").GetProperty("desc").GetString().Should().Contain("rng0: it has no back end");
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
        guest.Process.Error.Should().NotContain("locked");
        Refusal().Should().BeEmpty();
    }

    [Fact]
    public void LiveUpdate_ThatIsRefused_LeavesTheDiskWhereItWas()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        peer.Execute("live-update", """{"dry-run":true}""").GetProperty("return").GetProperty("accepted").GetBoolean().Should().BeTrue();
        peer.Execute("live-update", """{"net":["none,id=disk0"],"backend-transfer":["net0"]}""").GetProperty("error").GetProperty("desc").GetString()
            .Should().Contain("disk0: it is a disk, whose image is said with --disk");
        ShouldBeLocked();
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    [Fact]
    public void MachineInAFile_OnlyOneGoesOnWithTheDisk()
    {
        string state = $"file:{_folder["state"]}";
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        Keep(peer, state);

        LoseToAnother(guest, peer, state);

        peer.Execute("cont").TryGetProperty("return", out _).Should().BeTrue();
        guest.RequestStatus().CheckErrors.Should().Be(0);
        using VmmProcess late = VmmProcess.StartIn(guest.Network.Namespace, Incoming(state));
        late.WaitForExit().Should().NotBe(0);
        late.Error.Should().Contain("disk0").And.Contain("is in use by another process");
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    [Fact]
    public void MachineInAFile_LiveUpdatedWherePaused_StillDoesNotHaveTheDisk()
    {
        string state = $"file:{_folder["state"]}";
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        Keep(peer, state);
        peer.AllowLongPauses();
        peer.Execute("live-update").TryGetProperty("return", out _).Should().BeTrue();
        peer.Execute("query-status").GetProperty("return").GetProperty("status").GetString().Should().Be("paused");

        LoseToAnother(guest, peer, state);

        GoOnAndQuit(guest, peer);
    }

    [Fact]
    public void MachineInAFile_OneOfItsDisksIsTaken_TakesNone()
    {
        string second = _folder.Write("second.img", new byte[1 << 20]);
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options, "--disk", $"path={second}"]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        Keep(peer, $"file:{_folder["state"]}");

        using (VmmProcess other = VmmProcess.Start("run", "--kernel", "demo", "--console", "none", "--qmp", _folder["q2"], "--disk", $"path={second}"))
        {
            using QmpPeer there = QmpPeer.Negotiated(_folder["q2"]);
            peer.Execute("cont").GetProperty("error").GetProperty("desc").GetString().Should().Contain("second.img is in use by another process");
            Refusal().Should().BeEmpty("what was taken before is given up again");
            there.Execute("quit");
            other.WaitForExit().Should().Be(0, other.Error);
        }

        GoOnAndQuit(guest, peer);
    }

    [Fact]
    public void MachineThroughTcp_GoesOnWithTheImageThatTheUserNames()
    {
        const string Uri = "tcp:127.0.0.1:47317";
        string copy = _folder.Write("copy.img", new byte[1 << 20]);
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"], .. Options]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        using VmmProcess other = VmmProcess.StartIn(guest.Network.Namespace, [.. Incoming(Uri), "--disk", $"id=disk0,path={copy}"]);
        using QmpPeer there = QmpPeer.Negotiated(_folder["q2"]);
        peer.Execute("migrate", $$"""{"uri":"{{Uri}}"}""");
        Wait.Until(() => there.Execute("query-status").GetProperty("return").GetProperty("status").GetString() == "running", () => $"the other: {other.Error}");

        Wait.Until(() => Refusal().Length == 0, () => "the source to give its image up");
        Refusal(copy).Should().Contain("in use");
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
        there.Execute("quit");
        other.WaitForExit().Should().Be(0, other.Error);
    }

    private string[] Incoming(string uri) => ["run", "--incoming", uri, "--console", "none", "--name", "other", "--qmp", _folder["q2"], "--net", "tap,id=net0,ifname=t9"];

    /// <summary>Writes the machine into a file; it stays paused where it is.</summary>
    private static void Keep(QmpPeer peer, string uri)
    {
        peer.Execute("migrate", $$"""{"uri":"{{uri}}"}""");
        Wait.Until(() => peer.Execute("query-migrate").GetProperty("return").GetProperty("status").GetString() == "completed", () => "the machine in the file");
    }

    /// <summary>Another process runs the machine from the file for a while; meanwhile it can't go on where it was written.</summary>
    private void LoseToAnother(GuestOnTap guest, QmpPeer peer, string state)
    {
        using VmmProcess other = VmmProcess.StartIn(guest.Network.Namespace, Incoming(state));
        using QmpPeer there = QmpPeer.Negotiated(_folder["q2"]);
        Wait.Until(() => there.Execute("query-status").GetProperty("return").GetProperty("status").GetString() == "running", () => $"the other: {other.Error}");
        peer.Execute("cont").GetProperty("error").GetProperty("desc").GetString().Should().Contain("disk0").And.Contain("is in use by another process");
        there.Execute("quit");
        other.WaitForExit().Should().Be(0, other.Error);
    }

    /// <summary>The machine that was kept goes on with its images.</summary>
    private void GoOnAndQuit(GuestOnTap guest, QmpPeer peer)
    {
        peer.Execute("cont").TryGetProperty("return", out _).Should().BeTrue();
        ShouldBeLocked();
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    private void ShouldBeLocked() => Refusal().Should().Contain("disk0").And.Contain("is in use by another process");

    /// <summary>What a second machine with the image says; empty when it could have it.</summary>
    private string Refusal(string? path = null)
    {
        (_, _, string error) = VmmProcess.Run("run", "--kernel", "demo", "--append", "exit=0", "--console", "none", "--disk", $"path={path ?? _image}", "--log-level", "error");
        return error;
    }
}
