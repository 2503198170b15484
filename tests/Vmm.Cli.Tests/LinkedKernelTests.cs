using System.Diagnostics;

namespace Vmm.Cli.Tests;

/// <summary>Kernels as the system's compiler and linker make them.</summary>
public sealed class LinkedKernelTests
{
    private const string ExitWith42 = "mov $42, %al\n mov $0x501, %dx\n out %al, %dx\n 1: hlt\n jmp 1b\n";

    public LinkedKernelTests()
    {
        Host.RequireKvm();
        Host.RequireTool("gcc");
    }

    [Fact]
    public void FlatKernelLinkedTo1MiB_ElfHeadersInThePageBelow_Boots()
    {
        using TemporaryFolder folder = new();
        string kernel = Link(folder, $".globl _start\n _start:\n {ExitWith42}", "-Wl,-Ttext=0x100000");

        (int code, _, string error) = VmmProcess.Run("run", "--kernel", kernel);

        code.Should().Be(42, error);
    }

    private static string Link(TemporaryFolder folder, string source, params string[] options)
    {
        File.WriteAllText(folder["kernel.S"], source);
        string[] arguments = ["-nostdlib", "-static", "-no-pie", "-o", folder["kernel"], folder["kernel.S"], .. options];
        using Process gcc = Process.Start(new ProcessStartInfo("gcc", arguments) { RedirectStandardError = true })!;
        string messages = gcc.StandardError.ReadToEnd();
        gcc.WaitForExit();
        gcc.ExitCode.Should().Be(0, messages);
        return folder["kernel"];
    }
}
