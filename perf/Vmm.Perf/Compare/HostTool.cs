using System.Diagnostics;

namespace Vmm.Perf.Compare;

/// <summary>Programs that are run for what they do or print.</summary>
internal static class HostTool
{
    /// <summary>Its standard output.</summary>
    public static string Run(string program, params string[] arguments)
    {
        using Process process = Process.Start(new ProcessStartInfo(program, arguments) { RedirectStandardOutput = true })!;
        string output = process.StandardOutput.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0
            ? output
            : throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} ended with {process.ExitCode}.");
    }

    /// <summary><c>QEMU 7.2.22</c>.</summary>
    public static string NameOfQemu(string qemu)
    {
        string text = Run(qemu, "--version");
        return $"QEMU {text.Split(' ', '\n').FirstOrDefault(word => word.Length > 0 && char.IsAsciiDigit(word[0]))}";
    }
}
