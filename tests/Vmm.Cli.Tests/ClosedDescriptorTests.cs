namespace Vmm.Cli.Tests;

/// <summary>Started with standard input, output or error closed, as some supervisors do it.</summary>
public sealed class ClosedDescriptorTests : IDisposable
{
    private readonly TemporaryFolder _folder = new();

    public ClosedDescriptorTests() => Host.RequireKvm();

    [Theory]
    [InlineData("<&-")]
    [InlineData(">&-")]
    [InlineData("2>&-")]
    [InlineData("<&- >&-")]
    [InlineData("<&- >&- 2>&-")]
    public void Run_WithClosedDescriptors_GivesTheGuestDevNull(string closed)
    {
        // mov dx, 0x3F8; mov al, 9; out dx, al (a byte that means SIGKILL in the runtime's pipe); mov al, 15; out dx, al;
        // mov ecx, 0x8000; loop $ (time for it to act); mov dx, 0x501; mov al, 7; out dx, al
        string kernel = _folder.Write("kernel.elf", FlatKernel.Build(
            0x66, 0xBA, 0xF8, 0x03, 0xB0, 0x09, 0xEE, 0xB0, 0x0F, 0xEE,
            0xB9, 0x00, 0x80, 0x00, 0x00, 0xE2, 0xFE,
            0x66, 0xBA, 0x01, 0x05, 0xB0, 0x07, 0xEE));
        using VmmProcess process = VmmProcess.StartProgram("sh", "-c", $"{Host.Binary} run --kernel {kernel} --memory 64M --log-level error {closed}; echo $? > {_folder["code"]}");

        process.WaitForExit();

        File.ReadAllText(_folder["code"]).Should().Be("7\n");
    }

    [Fact]
    public void Error_WithClosedDescriptors_StillHasItsExitCode()
    {
        using VmmProcess process = VmmProcess.StartProgram("sh", "-c", $"{Host.Binary} run --kernel /no/such/kernel <&- >&- 2>&-; echo $? > {_folder["code"]}");

        process.WaitForExit();

        File.ReadAllText(_folder["code"]).Should().Be($"{ExitCode.HostError}\n");
    }

    public void Dispose() => _folder.Dispose();
}
