namespace Vmm.Cli.Tests;

/// <summary>Signals before the guest runs, while the machine is being put together.</summary>
public sealed class PreparationTests : IDisposable
{
    private const int SIGHUP = 1;
    private const int SIGINT = 2;
    private const int SIGTERM = 15;
    private const int SIGUSR1 = 10;

    private readonly TemporaryFolder _folder = new();

    public PreparationTests() => Host.RequireKvm();

    [Theory]
    [InlineData(SIGHUP)]
    [InlineData(SIGINT)]
    [InlineData(SIGTERM)]
    public void Signal_WhileAFileIsWaitedFor_EndsTheProcessAtOnce(int signal)
    {
        using LeasedFile initrd = new(_folder["initrd"]);
        string socket = _folder["console"];
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--initrd", initrd.Path, "--console", $"unix:{socket}", "--log-level", "info");
        Wait.Until(() => initrd.IsAwaited || process.HasExited, () => "the opening of the initrd");

        process.Signal(signal);

        process.WaitForExit().Should().Be(ExitCode.SignalBase + signal);
        (process.Output + process.Error).Should().BeEmpty("the signal has ended the process in that very call, not the machine some time later");
        File.Exists(socket).Should().BeFalse();
    }

    [Fact]
    public void SignalForCounters_WhileAFileIsWaitedFor_IsIgnored()
    {
        LeasedFile initrd = new(_folder["initrd"]);
        using VmmProcess process = VmmProcess.Start("run", "--kernel", "demo", "--initrd", initrd.Path, "--append", "exit=5");
        Wait.Until(() => initrd.IsAwaited || process.HasExited, () => "the opening of the initrd");

        process.Signal(SIGUSR1);
        initrd.Dispose();

        process.WaitForExit().Should().Be(5, process.Error);
    }

    [Theory]
    [InlineData("--kernel")]
    [InlineData("--initrd")]
    public void BootFile_IsAFifo_IsRefusedAtOnce(string option)
    {
        Host.RequireTool("mkfifo");
        using (VmmProcess mkfifo = VmmProcess.StartProgram("mkfifo", _folder["fifo"]))
        {
            mkfifo.WaitForExit().Should().Be(0);
        }

        string[] kernel = option == "--kernel" ? [] : ["--kernel", "demo"];
        (int code, _, string error) = VmmProcess.Run(["run", .. kernel, option, _folder["fifo"]]);

        code.Should().Be(ExitCode.HostError);
        error.Should().Be($"vmm: {_folder["fifo"]}: it is a FIFO (pipe). Write what comes out of it to a file, and give that.\n");
    }

    [Fact]
    public void BootFile_IsACharacterDevice_IsRefused()
    {
        (int code, _, string error) = VmmProcess.Run("run", "--kernel", "demo", "--initrd", "/dev/zero");

        code.Should().Be(ExitCode.HostError);
        error.Should().Be("vmm: /dev/zero: it is a character device. Give a regular file.\n");
    }

    public void Dispose() => _folder.Dispose();
}
