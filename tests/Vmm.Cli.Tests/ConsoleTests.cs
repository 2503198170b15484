using System.Net.Sockets;
using System.Text;

namespace Vmm.Cli.Tests;

/// <summary>The guest's serial port on each of its back ends.</summary>
public sealed class ConsoleTests
{
    private const int SIGTERM = 15;
    private const string Banner = DemoGuest.DemoGuestImage.Banner;

    public ConsoleTests() => Host.RequireKvm();

    [Fact]
    public void File_TakesTheOutput()
    {
        using TemporaryFolder folder = new();

        (int code, string output, _) = VmmProcess.Run("run", "--kernel", "demo", "--append", "exit=3", "--console", $"file:{folder["log"]}");

        code.Should().Be(3);
        output.Should().BeEmpty();
        File.ReadAllText(folder["log"]).Should().StartWith(Banner);
    }

    [Fact]
    public void None_TakesNothing()
    {
        (int code, string output, string error) = VmmProcess.Run("run", "--kernel", "demo", "--append", "exit=3", "--console", "none");

        code.Should().Be(3);
        (output + error).Should().BeEmpty();
    }

    [Fact]
    public void UnixSocket_GivesTheOutput_AndGoesWithTheMachine()
    {
        using TemporaryFolder folder = new();
        string path = folder["console"];
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--append", "hang", "--console", $"unix:{path}");
        using Socket client = Connect(process, path);
        byte[] bytes = new byte[4096];

        string text = "";
        while (!text.Contains(Banner, StringComparison.Ordinal))
        {
            int count = client.Receive(bytes);
            count.Should().BePositive(text);
            text += Encoding.ASCII.GetString(bytes, 0, count);
        }

        process.Signal(SIGTERM);
        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
        File.Exists(path).Should().BeFalse();
    }

    [Fact]
    public void Stdio_PipedBytes_ReachTheGuestInOrderAndComeBack()
    {
        const int Length = 300;
        const string Echo = """
            1:  mov $0x3fd, %dx         # line status
                in %dx, %al
                test $1, %al            # data ready
                jz 1b
                mov $0x3f8, %dx
                in %dx, %al
                out %al, %dx
                cmp $'.', %al
                jne 1b
                mov $0x501, %dx
                mov $33, %al
                out %al, %dx
            2:  hlt
                jmp 2b
            """;
        using TemporaryFolder folder = new();
        string text = string.Create(Length, 0, (characters, _) => Random.Shared.GetItems("0123456789 abc\r\n\t", characters)) + ".";
        using VmmProcess process = VmmProcess.Start("run", "--kernel", AssembledKernel.Build(folder, Echo), "--log-level", "error");

        process.WriteInput(text);

        process.WaitForExit().Should().Be(33, process.Error);
        process.Output.Should().Be(text);
    }

    [Fact]
    public void Pty_GivesTheOutput()
    {
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--append", "hang", "--console", "pty");
        process.WaitForError("\n");
        process.Error.Should().MatchRegex(@"^vmm: vm: console on pty /dev/pts/\d+\n$");
        string path = process.Error.Trim().Split(' ')[^1];

        using FileStream terminal = new(path, FileMode.Open, FileAccess.ReadWrite);
        byte[] bytes = new byte[Banner.Length];
        terminal.ReadExactly(bytes);

        Encoding.ASCII.GetString(bytes).Should().Be(Banner);
        process.Signal(SIGTERM);
        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
    }

    [Fact]
    public void Terminal_CtrlAX_EndsTheMachine_AndTheTerminalIsAsBefore()
    {
        Host.RequireTool("script");
        string command = $"stty -a > /tmp/vmm-stty.$$; {Host.Binary} run --kernel demo --append hang; echo code=$?; stty -a | diff - /tmp/vmm-stty.$$ && echo same; rm /tmp/vmm-stty.$$";
        using VmmProcess process = VmmProcess.StartProgram("script", "--quiet", "--return", "--command", command, "/dev/null");
        process.WaitForOutput(Banner);

        process.WriteInput("\x03"); // Ctrl-C goes to the guest.
        Thread.Sleep(100);
        process.HasExited.Should().BeFalse();
        process.WriteInput("\u0001x");

        process.WaitForOutput("code=");
        process.WaitForExit().Should().Be(0);
        process.Output.Should().Contain("code=0").And.Contain("same");
    }

    [Fact]
    public void Terminal_SigTerm_LeavesTheTerminalAsBefore()
    {
        Host.RequireTool("script");
        string command = $"({Host.Binary} run --kernel demo --append hang </dev/tty & echo pid=$!; wait $!; echo code=$?); stty -a";
        using VmmProcess process = VmmProcess.StartProgram("script", "--quiet", "--return", "--command", command, "/dev/null");
        process.WaitForOutput(Banner);

        _ = Tmds.Linux.LibC.kill(process.WaitForShellsProcessId(), SIGTERM);

        process.WaitForExit().Should().Be(0);
        process.Output.Should().Contain(Banner).And.Contain($"code={ExitCode.SignalBase + SIGTERM}").And.MatchRegex(@"[^-]icanon").And.MatchRegex(@"[^-]\becho\b");
    }

    private static Socket Connect(VmmProcess process, string path)
    {
        Socket? client = null;
        Wait.Until(() => (client = TryConnect(path)) is not null || process.HasExited, () => path);
        return client ?? throw new InvalidOperationException($"vmm has ended: {process.Error}");
    }

    /// <summary>Null before bind(2), and between it and listen(2).</summary>
    private static Socket? TryConnect(string path)
    {
        Socket client = new(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified) { ReceiveTimeout = 10_000 };
        try
        {
            client.Connect(new UnixDomainSocketEndPoint(path));
            return client;
        }
        catch (SocketException)
        {
            client.Dispose();
            return null;
        }
    }
}
