using System.Text.Json;

namespace Vmm.Cli.Tests;

/// <summary>Updates between two builds: the one that ships, native, and one that is a state version ahead, on the JIT.</summary>
public sealed class NextVersionTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public NextVersionTests()
    {
        Host.RequireNetwork();
        Assert.SkipUnless(File.Exists(Host.NextBinary), $"{Host.NextBinary} is not there: run ./test.sh.");
    }

    public void Dispose() => _folder.Dispose();

    /// <summary>A newer destination takes what an older source has; an older destination gets what it can read from a newer source.</summary>
    [Fact]
    public void LiveUpdate_ToANewerStateVersionAndBack_TheGuestGoesOn()
    {
        using GuestOnTap guest = GuestOnTap.Start(options: ["--qmp", _folder["q"]]);
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        peer.AllowLongPauses();

        GetMoves(peer).Should().BeNull("this one does not count");
        Update(peer, Host.NextBinary);
        GetMoves(peer).Should().Be(1, "0 moves came, and this would be another one");
        guest.RequestStatus().CheckErrors.Should().Be(0);

        Update(peer, Host.NextBinary);
        GetMoves(peer).Should().Be(2);

        Update(peer, Host.Binary);
        GetMoves(peer).Should().BeNull();
        guest.RequestStatus().CheckErrors.Should().Be(0);

        Update(peer, Host.NextBinary);
        GetMoves(peer).Should().Be(1, "who does not know it has not carried it on");
        guest.RequestStatus().CheckErrors.Should().Be(0);
        peer.Execute("quit");
        guest.Process.WaitForExit().Should().Be(0, guest.Process.Error);
    }

    private static void Update(QmpPeer peer, string binary)
        => peer.Execute("live-update", $$"""{"binary":{{JsonSerializer.Serialize(binary)}}}""").GetRawText().Should().Contain("return");

    private static uint? GetMoves(QmpPeer peer)
        => peer.Execute("x-inspect", """{"section":"machine"}""").GetProperty("return").GetProperty("machine (0)").TryGetProperty("moves", out JsonElement moves)
            ? Convert.ToUInt32(moves.GetString(), 16)
            : null;
}
