using System.Net;
using System.Net.Sockets;
using System.Text.Json;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>What the commands do to a machine that runs.</summary>
public sealed class CommandTests
{
    private const int SIGTERM = 15;

    public CommandTests() => Host.RequireKvm();

    [Fact]
    public void StopAndCont_WithTwoClients_AreToldToBothOnceEach()
    {
        using QmpGuest guest = new();
        using QmpPeer first = guest.Connect();
        using QmpPeer second = guest.Connect();
        List<string> events = [];

        first.Execute("stop", events: events);
        first.Execute("query-status").GetProperty("return").GetRawText().Should().Be("""{"status":"paused","singlestep":false,"running":false}""");
        first.Execute("stop", events: events);
        first.Execute("cont", events: events);
        first.Execute("cont", events: events);
        first.Execute("query-status", events: events).GetProperty("return").GetRawText().Should().Be("""{"status":"running","singlestep":false,"running":true}""");

        events.Should().Equal("STOP", "RESUME");
        JsonElement stop = second.Read()!.Value;
        stop.GetProperty("event").GetString().Should().Be("STOP");
        stop.GetProperty("timestamp").GetProperty("seconds").GetInt64().Should().BeCloseTo(DateTimeOffset.UtcNow.ToUnixTimeSeconds(), 600);
        stop.GetProperty("timestamp").GetProperty("microseconds").GetInt64().Should().BeInRange(0, 999_999);
        second.Read()!.Value.GetProperty("event").GetString().Should().Be("RESUME");
    }

    [Fact]
    public void Guest_WhileStopped_StandsStillAndGoesOn()
    {
        using QmpGuest guest = new("--cpus", "2", "--append", "poll");
        using QmpPeer peer = guest.Connect();

        peer.Execute("stop");
        string before = Registers();
        Registers().Should().Be(before);
        peer.Execute("cont");

        // Without a network card it halts for good after its first look at its memory, unless it polls.
        Wait.Until(() => Registers() != before, () => "the guest to go on");

        string Registers() => peer.Execute("x-inspect", """{"section":"cpu"}""").GetProperty("return").GetRawText();
    }

    [Fact]
    public void Traffic_WhileStopped_WaitsAndIsAnsweredAfterwards()
    {
        Host.RequireNetwork();
        using TemporaryFolder folder = new();
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", folder["q"]]);
        using QmpPeer peer = QmpPeer.Negotiated(folder["q"]);
        using Socket socket = guest.Network.OpenUdp();
        socket.ReceiveTimeout = 20_000;
        socket.Connect(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.Port));

        peer.Execute("stop");
        socket.Send(ReadOnlySpan<byte>.Empty);
        Thread.Sleep(50);
        socket.Available.Should().Be(0, "nobody answers");
        peer.Execute("cont");

        byte[] answer = new byte[DemoGuestStatus.Size];
        DemoGuestStatus.TryParse(answer.AsSpan(0, socket.Receive(answer))).Should().NotBeNull();
    }

    [Fact]
    public void SetLink_Down_CutsTheCardOff()
    {
        Host.RequireNetwork();
        using TemporaryFolder folder = new();
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", folder["q"]]);
        using QmpPeer peer = QmpPeer.Negotiated(folder["q"]);

        peer.Execute("set_link", """{"name":"net0","up":false}""").GetProperty("return").GetRawText().Should().Be("{}");
        Inspect().Should().BeFalse();
        peer.Execute("set_link", """{"name":"net0","up":true}""");
        Inspect().Should().BeTrue();

        JsonElement error = peer.Execute("set_link", """{"name":"net9","up":true}""").GetProperty("error");
        error.GetProperty("class").GetString().Should().Be("DeviceNotFound");
        error.GetProperty("desc").GetString().Should().Be("Device 'net9' not found");

        bool Inspect() => peer.Execute("x-inspect", """{"section":"net0/virtio-net"}""").GetProperty("return").EnumerateObject().Single()
            .Value.GetProperty("device").GetProperty("link_up").GetBoolean();
    }

    [Fact]
    public void Inspect_WithoutASection_ShowsEverySectionOfAGuestThatRunsOn()
    {
        using QmpGuest guest = new("--cpus", "2", "--net", "none,id=wire");
        using QmpPeer peer = guest.Connect();

        string[] sections = [.. peer.Execute("x-inspect").GetProperty("return").EnumerateObject().Select(section => section.Name.Split(' ')[0])];

        sections.Should().ContainInOrder("com1/uart", "wire/virtio-net", "wire/virtio-mmio", "cpu", "cpu", "kvm");
        peer.Execute("query-status").GetProperty("return").GetProperty("running").GetBoolean().Should().BeTrue();
        peer.Execute("x-inspect", """{"section":"disk"}""").GetProperty("error").GetProperty("desc").GetString()
            .Should().Match("There is no section 'disk'; there are machine, com1/uart, power, wire/virtio-net, wire/virtio-mmio, cpu, kvm, console");
    }

    [Fact]
    public void Cpus_OfAMachine_AreItsThreads()
    {
        using QmpGuest guest = new("--cpus", "3");
        using QmpPeer peer = guest.Connect();

        int[] threads = [.. peer.Execute("query-cpus-fast").GetProperty("return").EnumerateArray().Select(cpu => cpu.GetProperty("thread-id").GetInt32())];

        threads.Select(thread => File.ReadAllText($"/proc/{guest.Process.Id}/task/{thread}/comm").Trim()).Should().Equal("vcpu0", "vcpu1", "vcpu2");
    }

    [Fact]
    public void SystemReset_OfAMachine_EndsItAsAGuestsResetDoes()
    {
        using QmpGuest guest = new();
        using QmpPeer peer = guest.Connect();

        peer.Execute("system_reset").GetProperty("return").GetRawText().Should().Be("{}");

        peer.ReadEvent("SHUTDOWN").GetProperty("data").GetRawText().Should().Be("""{"guest":false,"reason":"host-qmp-system-reset"}""");
        guest.Process.WaitForExit().Should().Be(ExitCode.Success, guest.Process.Error);
    }

    [Fact]
    public void SystemPowerdown_ThatTheGuestDoesNotListenTo_IsRefusedWithAReason()
    {
        using QmpGuest guest = new();
        using QmpPeer peer = guest.Connect();

        peer.Execute("system_powerdown").GetProperty("error").GetProperty("desc").GetString().Should().Match("The guest does not listen to the power button*");
        peer.Execute("query-status").GetProperty("return").GetProperty("running").GetBoolean().Should().BeTrue();
    }

    [Fact]
    public void Quit_OfAMachine_IsAnsweredThenToldThenDone()
    {
        using QmpGuest guest = new();
        using QmpPeer peer = guest.Connect();
        using QmpPeer other = guest.Connect();

        peer.Execute("quit").GetProperty("return").GetRawText().Should().Be("{}");

        foreach (QmpPeer each in (QmpPeer[])[peer, other])
        {
            each.Read()!.Value.GetProperty("data").GetRawText().Should().Be("""{"guest":false,"reason":"host-qmp-quit"}""");
            each.Read().Should().BeNull();
        }

        guest.Process.WaitForExit().Should().Be(ExitCode.Success, guest.Process.Error);
        File.Exists(guest.Socket).Should().BeFalse();
    }

    [Fact]
    public void Quit_OfAStoppedMachine_Ends()
    {
        using QmpGuest guest = new();
        using QmpPeer peer = guest.Connect();

        peer.Execute("stop");
        peer.Execute("quit");

        guest.Process.WaitForExit().Should().Be(ExitCode.Success);
    }

    [Fact]
    public void Signal_ToTheProcess_IsToldAsTheReason()
    {
        using QmpGuest guest = new();
        using QmpPeer peer = guest.Connect();

        guest.Process.Signal(SIGTERM);

        peer.ReadEvent("SHUTDOWN").GetProperty("data").GetRawText().Should().Be("""{"guest":false,"reason":"host-signal"}""");
        guest.Process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
    }

    [Fact]
    public void Commands_ManyAtATimeFromSeveralClients_AreAllAnswered()
    {
        using QmpGuest guest = new("--cpus", "2", "--net", "none");

        Parallel.For(0, 4, client =>
        {
            using QmpPeer peer = guest.Connect();
            for (int i = 0; i < 50; i++)
            {
                string command = ((string[])["stop", "cont", "x-inspect", "query-status"])[(client + i) % 4];
                peer.Send($$"""{"execute":"{{command}}","id":{{i}}}""");
                JsonElement reply = peer.ReadReply();
                reply.GetProperty("id").GetInt32().Should().Be(i);
                reply.TryGetProperty("return", out _).Should().BeTrue(reply.GetRawText());
            }
        });

        guest.Process.HasExited.Should().BeFalse();
    }
}
