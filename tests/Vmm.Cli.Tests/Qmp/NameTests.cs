using System.Globalization;
using System.Net.Sockets;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>Names of machines, and the commands that take one: list, stop, qmp.</summary>
public sealed class NameTests : IDisposable
{
    private const int SIGKILL = 9;
    private const int SIGSTOP = 19;

    private readonly List<VmmProcess> _machines = [];

    public NameTests() => Host.RequireKvm();

    public void Dispose() => _machines.ForEach(machine => machine.Dispose());

    [Fact]
    public void Machines_WithoutAName_GetFreeOnes()
    {
        Start();
        WaitFor("vm");
        Start();
        WaitFor("vm-2");
        VmmProcess third = Start("--name", "web.1");
        WaitFor("web.1");

        string[] rows = List();
        rows[0].Should().MatchRegex("^NAME +PID +STATE +CPUS +MEMORY +UPTIME$");
        rows[1..].Select(row => row.Split(' ', 2)[0]).Should().Equal("vm", "vm-2", "web.1");
        rows[3].Should().MatchRegex(string.Create(CultureInfo.InvariantCulture, $@"^web\.1 +{third.Id} +running +1 +64M +00:00:\d\d$"));
    }

    [Fact]
    public void Name_OfAMachineThatRuns_IsRefused()
    {
        Start("--name", "one");
        WaitFor("one");

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", "demo", "--name", "one");

        code.Should().Be(ExitCode.HostError);
        error.Should().Be("vmm: A machine named one runs already: choose another --name, or end that one with `vmm stop one`.\n");
        List().Should().HaveCount(2, "the one that runs is left alone");
    }

    [Theory]
    [InlineData("a/b")]
    [InlineData("-x")]
    [InlineData("..")]
    [InlineData("a b")]
    public void Name_ThatIsNoFileName_IsRefused(string name)
    {
        (int code, _, string error) = VmmProcess.Run("run", "--kernel", "demo", $"--name={name}");

        code.Should().Be(ExitCode.Usage);
        error.Should().Contain($"--name {name}: a name has letters, digits");
    }

    [Fact]
    public void Name_OfAKilledMachine_IsFreeAgain()
    {
        VmmProcess killed = Start("--name", "one");
        WaitFor("one");
        killed.Signal(SIGKILL);
        killed.WaitForExit();
        File.Exists(SocketOf("one")).Should().BeTrue("nobody could remove it");
        List().Should().ContainSingle("a dead one is not listed");

        Start("--name", "one");

        WaitFor("one");
        List().Should().HaveCount(2);
    }

    [Fact]
    public void Machines_StartedAtTheSameTime_AllGetNamesOfTheirOwn()
    {
        const int Count = 6;
        for (int i = 0; i < Count; i++)
        {
            Start();
        }

        Wait.Until(() => List().Length == Count + 1, () => $"{Count} machines in {string.Join('\n', List())}");
        List()[1..].Select(row => row.Split(' ', 2)[0]).Should().Equal(["vm", .. Enumerable.Range(2, Count - 1).Select(i => $"vm-{i}")]);
    }

    [Fact]
    public void Qmp_None_HasNoSocket()
    {
        VmmProcess machine = Start("--qmp", "none");
        Wait.Until(() => machine.HasExited || machine.ThreadFolders.Any(folder => NameOf(folder) == "vcpu0"), () => "the guest");

        machine.HasExited.Should().BeFalse(machine.Error);
        List().Should().ContainSingle();
    }

    [Fact]
    public void Stop_OfAMachine_WaitsForItsEnd()
    {
        VmmProcess machine = Start("--name", "one");
        WaitFor("one");

        (int code, string output, string error) = VmmProcess.Run("stop", "one");

        (output + error).Should().BeEmpty();
        code.Should().Be(ExitCode.Success);
        machine.WaitForExit().Should().Be(ExitCode.Success);
        File.Exists(SocketOf("one")).Should().BeFalse();
    }

    [Fact]
    public void Stop_OfAProcessThatDoesNotAnswer_KillsIt()
    {
        VmmProcess machine = Start("--name", "one");
        WaitFor("one");
        machine.Signal(SIGSTOP);

        (int code, _, string error) = VmmProcess.Run("stop", "one", "--timeout", "0");

        code.Should().Be(ExitCode.Success, error);
        machine.WaitForExit().Should().Be(ExitCode.SignalBase + SIGKILL);
        error.Should().Contain($"SIGTERM to process {machine.Id}").And.Contain($"SIGKILL to process {machine.Id}");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public void List_WithAMachineThatDoesNotAnswer_ShowsIt(bool isFull)
    {
        VmmProcess machine = Start("--name", "one");
        WaitFor("one");
        machine.Signal(SIGSTOP);
        List<Socket> waiting = [];
        while (isFull && TryConnect(SocketOf("one")) is { } socket)
        {
            waiting.Add(socket);
        }

        List()[1].Should().MatchRegex("^one +- +no answer +- +- +-$");
        waiting.ForEach(socket => socket.Dispose());
    }

    [Theory]
    [InlineData("stop", "nobody")]
    [InlineData("qmp", "nobody", "query-status")]
    public void Command_ForAMachineThatIsNotThere_SaysSo(params string[] arguments)
    {
        (int code, _, string error) = VmmProcess.Run(arguments);

        code.Should().Be(ExitCode.HostError);
        error.Should().StartWith("vmm: No machine named nobody runs").And.EndWith("`vmm list` shows those that do.\n");
    }

    [Fact]
    public void Qmp_OneCommand_PrintsItsReply()
    {
        Start("--name", "one", "--net", "none");
        WaitFor("one");

        VmmProcess.Run("qmp", "one", "query-name").Output.Should().Be("{\n  \"name\": \"one\"\n}\n");
        VmmProcess.Run("qmp", "one", "set_link", "name=net0", "up=false").ExitCode.Should().Be(ExitCode.Success);
        VmmProcess.Run("qmp", SocketOf("one"), "query-status").Output.Should().Contain("\"running\": true");

        (int code, string output, string error) = VmmProcess.Run("qmp", "one", "set_link", "name=net0", "up=maybe");
        code.Should().Be(ExitCode.CheckFailed);
        output.Should().BeEmpty();
        error.Should().Be("vmm: GenericError: Invalid parameter type for 'up', expected: boolean\n");
    }

    [Fact]
    public void Qmp_InAPipe_TakesLinesAndPrintsRepliesAndEvents()
    {
        Start("--name", "one");
        WaitFor("one");
        using VmmProcess shell = VmmProcess.Start("qmp", "one");

        shell.WriteInput("stop\n\n{\"execute\":\"query-status\"}\nnope x\nnope\n");
        shell.WaitForError("nope has not been found");
        shell.EndInput();

        shell.WaitForExit().Should().Be(ExitCode.CheckFailed);
        shell.Output.Should().Be("STOP\n{}\n{\n  \"status\": \"paused\",\n  \"singlestep\": false,\n  \"running\": false\n}\n");
        shell.Error.Should().Be("vmm: 'x' is no argument of its own: write KEY=VALUE, each key once.\nvmm: CommandNotFound: The command nope has not been found\n");
    }

    [Fact]
    public void Qmp_OnATerminal_CompletesAndRecalls()
    {
        Host.RequireTool("script");
        Start("--name", "one");
        WaitFor("one");
        using VmmProcess shell = VmmProcess.StartProgram("script", "--quiet", "--return", "--command", $"{Host.Binary} qmp one", "/dev/null");
        shell.WaitForOutput("(one) ");

        shell.WriteInput("query-na\t\r");
        shell.WaitForOutput("\"name\": \"one\"");
        shell.WriteInput("query-\t");
        shell.WaitForOutput("query-commands  query-cpus-fast");
        shell.WriteInput("statx\b\r");
        shell.WaitForOutput("query-stat has not been found");
        shell.WriteInput("\e[A\e[A\r");
        Wait.Until(() => shell.Output.Split("\"name\": \"one\"").Length == 3, () => $"the recalled command in {shell.Output}");
        shell.WriteInput("\u0004");

        shell.WaitForExit().Should().Be(ExitCode.CheckFailed);
    }

    /// <summary>Null when as many wait as there is room for.</summary>
    private static Socket? TryConnect(string path)
    {
        Socket socket = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { Blocking = false };
        try
        {
            socket.Connect(new UnixDomainSocketEndPoint(path));
            return socket;
        }
        catch (SocketException e) when (e.SocketErrorCode == SocketError.WouldBlock)
        {
            socket.Dispose();
            return null;
        }
    }

    private static string SocketOf(string name) => Path.Combine(Host.RuntimeFolder, "vmm", name + ".qmp");

    /// <summary>Of a thread; null when it has ended.</summary>
    private static string? NameOf(string thread)
    {
        try
        {
            return File.ReadAllText(Path.Combine(thread, "comm")).Trim();
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static string[] List()
    {
        (int code, string output, string error) = VmmProcess.Run("list");
        code.Should().Be(ExitCode.Success, error);
        error.Should().BeEmpty();
        return output.Split('\n', StringSplitOptions.RemoveEmptyEntries);
    }

    /// <summary>Until the machine has answered.</summary>
    private static void WaitFor(string name) => QmpPeer.Negotiated(SocketOf(name)).Dispose();

    private VmmProcess Start(params string[] options)
    {
        VmmProcess machine = VmmProcess.Start(["run", "--kernel", "demo", "--console", "none", "--memory", "64M", .. options]);
        _machines.Add(machine);
        return machine;
    }
}
