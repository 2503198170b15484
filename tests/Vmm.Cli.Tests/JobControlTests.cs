using System.Globalization;
using System.Text.Json;

namespace Vmm.Cli.Tests;

/// <summary>As a job of an interactive shell, which leads the session of a pseudo-terminal; we are the person at it.</summary>
public sealed class JobControlTests : IDisposable
{
    private const int SIGTSTP = 20;
    private const string Prompt = "ready> ";

    private readonly TemporaryFolder _folder = new();
    private readonly VmmProcess _shell;

    public JobControlTests()
    {
        Host.RequireKvm();
        Host.RequireTool("script");
        Host.RequireTool("bash");
        _shell = VmmProcess.StartProgram("script", "--quiet", "--return", "--command", $"env 'PS1={Prompt}' bash --norc --noprofile --noediting -i", "/dev/null");
        _shell.WaitForOutput(Prompt);
    }

    [Fact]
    public void Background_BroughtToTheFront_TakesKeysOneByOne()
    {
        StartInBackground();

        // No newline: a terminal that is not raw would keep the key.
        Say("fg; echo code=$?\n", "vmm run");
        _shell.WriteInput("A");

        _shell.WaitForOutput("code=65");
        Leave();
    }

    [Fact]
    public void Background_KeysAndOutput_DoNotStopItAndBelongToTheShell()
    {
        Say("stty tostop\n", Prompt);
        int id = StartInBackground();

        Say("echo typed-$((6*7))\n", "typed-42");
        State(id).Should().NotBe('T', "neither what it prints nor what is typed stops it");
        Say("stty -a; echo done-$((6*7))\n", "done-42").Should().NotContain("-icanon");

        Say("fg; echo code=$?\n", "vmm run");
        _shell.WriteInput("B");
        _shell.WaitForOutput("code=66");
        Leave();
    }

    [Fact]
    public void Foreground_StoppedThenContinuedInTheBackground_LeavesTheTerminalToTheShell()
    {
        int id = StartInBackground();
        Say("fg; echo code=$?\n", "vmm run");
        // Ctrl-A h answers only when it has the terminal.
        Say("\u0001h", "Ctrl-A x ");

        _ = Tmds.Linux.LibC.kill(id, SIGTSTP);
        _shell.WaitForOutput("Stopped");
        Say("bg\n", "&");
        Wait.Until(() => State(id) != 'T', () => "it to continue");
        Say("stty -a; echo done-$((6*7))\n", "done-42").Should().NotContain("-icanon");
        State(id).Should().NotBe('T');

        Say("fg; echo again=$?\n", "vmm run");
        _shell.WriteInput("C");
        _shell.WaitForOutput("again=67");
        Leave();
    }

    /// <summary>The process is replaced under the job: the terminal, its mode, its keys and the exit code are the new one's.</summary>
    [Theory]
    [InlineData("transfer")]
    [InlineData("exec")]
    public void LiveUpdate_InTheForeground_KeepsTheTerminalAndTheJob(string mode)
    {
        int id = StartInBackground($"--qmp {_folder["q"]}");
        Say("fg; echo code=$?\n", "vmm run");
        using QmpPeer peer = QmpPeer.Negotiated(_folder["q"]);
        peer.AllowLongPauses();
        int machine = id;
        for (int i = 0; i < 2; i++)
        {
            JsonElement reply = peer.Execute("live-update", $$"""{"binary":"{{Host.Binary}}","mode":"{{mode}}"}""");
            machine = reply.GetProperty("return").GetProperty("pid").GetInt32();
            (machine == id).Should().Be(mode == "exec");
            Say("\u0001h", "Ctrl-A x ");
        }

        // To the shell it is the job that it was; it stops as a whole, and has the terminal again when it goes on.
        _ = Tmds.Linux.LibC.kill(id, SIGTSTP);
        _shell.WaitForOutput("Stopped");
        Wait.Until(() => State(machine) == 'T', () => "the guest to stop");
        Say("fg; echo again=$?\n", "vmm run");
        Say("\u0001h", "Ctrl-A x ");
        _shell.WriteInput("E");

        _shell.WaitForOutput("again=69");
        Say("stty -a; echo done-$((6*7))\n", "done-42").Should().NotContain("-icanon");
        Leave();
    }

    public void Dispose()
    {
        _shell.Dispose();
        _folder.Dispose();
    }

    /// <summary>A guest that prints "up", waits for a key, and ends with its code.</summary>
    private int StartInBackground(string options = "")
    {
        // mov dx, 0x3F8; mov al, 'u'; out dx, al; mov al, 'p'; out dx, al; mov dx, 0x3FD; wait: in al, dx; test al, 1; jz wait;
        // mov dx, 0x3F8; in al, dx; mov dx, 0x501; out dx, al
        string kernel = _folder.Write("kernel.elf", FlatKernel.Build(
            0x66, 0xBA, 0xF8, 0x03, 0xB0, (byte)'u', 0xEE, 0xB0, (byte)'p', 0xEE,
            0x66, 0xBA, 0xFD, 0x03, 0xEC, 0xA8, 0x01, 0x74, 0xFB,
            0x66, 0xBA, 0xF8, 0x03, 0xEC, 0x66, 0xBA, 0x01, 0x05, 0xEE));
        Say($"{Host.Binary} run --kernel {kernel} --memory 64M --log-level error {options} & echo pid=$!\n", "up");
        return _shell.WaitForShellsProcessId();
    }

    /// <summary>Types, and returns what comes up to and after <paramref name="answer"/>.</summary>
    private string Say(string text, string answer)
    {
        int before = _shell.Output.Length;
        _shell.WriteInput(text);
        // The terminal echoes what is typed; the answer comes after it.
        int from = before + text.Length;
        Wait.Until(
            () => _shell.Output.Length > from && _shell.Output[from..].Contains(answer, StringComparison.Ordinal),
            () => $"'{answer}' in: {_shell.Output}");
        return _shell.Output[before..];
    }

    private static char State(int id)
    {
        string line = File.ReadAllText($"/proc/{id.ToString(CultureInfo.InvariantCulture)}/stat");
        return line[line.LastIndexOf(')') + 2];
    }

    private void Leave()
    {
        _shell.WriteInput("exit\n");
        _shell.WaitForExit().Should().Be(0);
    }
}
