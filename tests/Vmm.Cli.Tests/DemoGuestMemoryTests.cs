using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary>The demo guest on machines with little RAM.</summary>
public sealed class DemoGuestMemoryTests
{
    private const int SIGTERM = 15;

    public DemoGuestMemoryTests() => Host.RequireKvm();

    [Theory]
    [InlineData("2M")]
    [InlineData("3M")]
    [InlineData("8M")]
    [InlineData("10M")]
    public void TooLittleMemory_IsSaid_AndHasItsExitCode(string memory)
    {
        (int code, string output, string error) = VmmProcess.Run("run", "--kernel", "demo", "--memory", memory, "--net", "none");

        code.Should().Be(DemoGuestImage.TooLittleRamExit);
        output.Should().Be($"demo guest: {memory[..^1]} MiB of RAM are too little; 11 MiB are needed.\r\n");
        error.Should().BeEmpty();
    }

    [Theory]
    [InlineData("11M", "", 1024)]
    [InlineData("16M", "", 1024)]
    [InlineData("16M", "check=64M", 6144)]
    [InlineData("16M", "check=0xffffffffffffffff", 6144)]
    public void EnoughMemory_IsCheckedAsFarAsTheArenaLeavesIt(string memory, string append, int checkedKilobytes)
    {
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--memory", memory, "--append", append, "--net", "none");

        process.WaitForOutput("ready");

        process.Output.Should().Contain($"{memory[..^1]} MiB, checking {checkedKilobytes} KiB\r\n").And.Contain("net0 mac");
        process.Signal(SIGTERM);
        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
    }

    [Fact]
    public void CardsThatTakeMoreThanAllMemory_AreRefusedByTheGuest()
    {
        // The first one's 16 pairs take 8 of the 13 MiB and the second's the rest.
        string[] cards = [.. Enumerable.Repeat("none,queues=16", 3).SelectMany(card => new[] { "--net", card })];
        using VmmProcess process = VmmProcess.Start(["run", "--kernel", "demo", "--memory", "16M", .. cards]);

        process.WaitForOutput("ready");

        process.Output.Should().Contain("a network interface can't be driven").And.NotContain("exception");
        process.Error.Should().BeEmpty();
        process.HasExited.Should().BeFalse();
    }
}
