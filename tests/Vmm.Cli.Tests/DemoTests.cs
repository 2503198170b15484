using Vmm.Cli.Bench;

namespace Vmm.Cli.Tests;

/// <summary>A newcomer's first command.</summary>
public sealed class DemoTests
{
    private const int SIGKILL = 9;
    private const int SIGUSR1 = 10;

    public DemoTests() => Host.RequireNetwork();

    [Fact]
    public void Demo_ToAPipe_PrintsLinesAndEndsWell()
    {
        (int code, string output, string error) = VmmProcess.Run("demo");

        code.Should().Be(0, output + error);
        error.Should().BeEmpty();
        output.Should().Contain("demo guest: ready").And.MatchRegex(@"ping 10 +\d+ us").And.Contain("UDP echo").And.Contain("ping flood");
        output.Should().NotContain("\u001b").And.NotContain("answered ...");
        output.Split('\n').Count(line => line.StartsWith("device ", StringComparison.Ordinal)).Should().Be(3, "the counters follow the pings and each burst");
        output.Should().MatchRegex(@"(?m)^update +the guest runs in process \d+: accepted after .* stood still for [\d,]+ us$");
        output.Should().MatchRegex(@"(?m)^phases +pause [\d,]+ us, save [\d,]+ us, send [\d,]+ us, load [\d,]+ us, apply [\d,]+ us, run [\d,]+ us$");
        output.Should().MatchRegex(@"(?m)^meanwhile +[\d,]+ pings, 1,000 a second: 0 lost, 0 damaged, 0 twice;");
        output.Should().MatchRegex(@"(?m)^guest +memory check: [\d,]+ passes, 0 errors; its clock went back 0 times$");
        output.Should().EndWith("every request was answered; the guest, the TAP and the namespace are gone\n");
    }

    [Fact]
    public void Demo_SignalForCounters_IsIgnored()
    {
        using VmmProcess process = VmmProcess.Start("demo");
        process.WaitForOutput("network");

        process.Signal(SIGUSR1);

        process.WaitForExit().Should().Be(0, process.Output + process.Error);
    }

    [Fact]
    public void Demo_KilledAfterTheUpdate_TakesTheNewProcessWithIt()
    {
        using VmmProcess process = VmmProcess.Start("demo", "--plain");
        NamespaceTrace trace = new();
        Wait.Until(() => Footprint.FindChildren(process.Id).Count > 0 || process.HasExited, () => $"the new process; {process.Output}{process.Error}");
        trace.Look(process);
        int successor = Footprint.FindChildren(process.Id)[0];

        process.Signal(SIGKILL);

        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGKILL);
        Wait.Until(() => !Directory.Exists($"/proc/{successor}"), () => $"the end of process {successor}");
        Wait.Until(() => trace.FindLeftover() is null, () => $"the end of {trace.FindLeftover()}");
    }

    [Fact]
    public void Demo_OnATerminal_ShowsATable()
    {
        Host.RequireTool("script");
        using VmmProcess process = VmmProcess.StartProgram("script", "--quiet", "--return", "--command", $"stty cols 120 rows 50; TERM=xterm-256color {Host.Binary} demo", "/dev/null");

        process.WaitForExit().Should().Be(0, process.Output);
        process.Output.Should().Contain("╭").And.Contain("of 20,000 answered ...").And.Contain("ping flood").And.Contain("every request was answered");
    }

    [Fact]
    public void Demo_OfAnOrdinaryUser_MakesItsOwnUserNamespace()
    {
        Assert.SkipWhen(Backends.Tap.UserNamespace.FindObstacle() is not null, "User namespaces are not allowed on this host.");
        using NobodysVmm nobody = NobodysVmm.Require();
        using VmmProcess process = nobody.StartWithDevices("demo");

        process.WaitForExit().Should().Be(0, process.Output + process.Error);
        process.Output.Should().Contain("every request was answered");
    }

    [Fact]
    public void Demo_MayNotOpenKvm_SaysWhatToDo()
    {
        using NobodysVmm nobody = NobodysVmm.Require();
        using VmmProcess process = nobody.Start("demo");

        process.WaitForExit().Should().Be(ExitCode.HostError);
        process.Output.Should().BeEmpty();
        process.Error.Should().StartWith("vmm: /dev/kvm: can't be opened: Permission denied").And.Contain("usermod -aG kvm");
    }
}
