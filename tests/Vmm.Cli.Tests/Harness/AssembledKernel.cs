using System.Diagnostics;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A kernel that the system's assembler and linker make of a few lines.</summary>
internal static class AssembledKernel
{
    /// <summary>64-bit code at 1 MiB that begins with its first line; RSI is the address of hvm_start_info then.</summary>
    public static string Build(TemporaryFolder folder, string code)
    {
        Host.RequireTool("gcc");
        return Link(folder, $".globl _start\n_start:\n{code}\n", "-Wl,-Ttext=0x100000");
    }

    /// <param name="options">More options of gcc, for the linker.</param>
    public static string Link(TemporaryFolder folder, string source, params string[] options)
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
