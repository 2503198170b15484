namespace Vmm.Cli.Tests;

/// <summary>Every way in which a guest can end, and its exit code.</summary>
public sealed class GuestEndTests
{
    private const int SIGHUP = 1;
    private const int SIGINT = 2;
    private const int SIGTERM = 15;

    public GuestEndTests() => Host.RequireKvm();

    [Theory]
    [InlineData("exit=0", 0)]
    [InlineData("exit=1", 1)]
    [InlineData("exit=42", 42)]
    [InlineData("exit=255", 255)]
    [InlineData("reset", 0)]
    public void Guest_EndsByItself_GivesItsExitCode(string append, int expected)
    {
        (int code, string output, string error) = VmmProcess.Run("run", "--kernel", "demo", "--append", append);

        code.Should().Be(expected, error);
        output.Should().StartWith(DemoGuest.DemoGuestImage.Banner);
        error.Should().BeEmpty();
    }

    [Fact]
    public void Guest_TakesAnException_ReportsItByDebugExit()
    {
        const int PageFault = 14;

        VmmProcess.Run("run", "--kernel", "demo", "--append", "crash").ExitCode.Should().Be(DemoGuest.DemoGuestImage.ExceptionExit + PageFault);
    }

    [Fact]
    public void Guest_TripleFaults_IsReported()
    {
        (int code, _, string error) = VmmProcess.Run("run", "--kernel", "demo", "--append", "triple", "--name", "three");

        code.Should().Be(ExitCode.TripleFault);
        error.Should().StartWith("vmm: three: triple fault");
        error.Should().Contain("rip");
    }

    [Fact]
    public void Guest_RunsIntoTheMmioHole_IsReportedAsACrash()
    {
        using TemporaryFolder folder = new();
        // mov eax, 0xD0000000; jmp rax: no instruction can be fetched there, and no KVM can emulate that.
        string kernel = folder.Write("kernel.elf", FlatKernel.Build(0xB8, 0x00, 0x00, 0x00, 0xD0, 0xFF, 0xE0));

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", kernel);

        code.Should().Be(ExitCode.GuestCrash, error);
        error.Should().Contain("vmm: vm: the guest crashed.").And.Contain("d0000000");
    }

    [Theory]
    [InlineData(SIGHUP)]
    [InlineData(SIGINT)]
    [InlineData(SIGTERM)]
    public void Signal_WhileTheGuestRuns_EndsItCleanly(int signal)
    {
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--log-level", "info");
        process.WaitForOutput(DemoGuest.DemoGuestImage.Banner);

        process.Signal(signal);

        process.WaitForExit().Should().Be(ExitCode.SignalBase + signal);
        process.Error.Should().Contain("vm: stopped.");
    }

    [Fact]
    public void Guest_SleepsForever_StillEndsBySignal()
    {
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--append", "hang", "--cpus", "2");
        process.WaitForOutput(DemoGuest.DemoGuestImage.Banner);

        process.Signal(SIGTERM);

        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
    }
}
