using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What the testbed needs of this machine.</summary>
internal static class Prerequisites
{
    private static readonly TimeSpan _buildLimit = TimeSpan.FromMinutes(5);
    private static readonly string[] _files = ["/usr/bin/qemu-system-x86_64", "/usr/lib/qemu/virtiofsd", "/usr/bin/apt-get", "/usr/bin/iperf3", "/usr/bin/socat", "/usr/bin/perl"];

    /// <returns>Why there can be no testbed here, or null.</returns>
    public static string? Missing()
    {
        if (RuntimeInformation.ProcessArchitecture != Architecture.X64 || !Environment.IsPrivilegedProcess)
        {
            return "the nested testbed needs x86-64 and root (for virtiofsd)";
        }

        if (_files.FirstOrDefault(file => !File.Exists(file)) is { } file)
        {
            return $"the nested testbed needs {file}; test.sh installs it where it can";
        }

        return File.Exists(SourceTree.Binary) ? null : $"{SourceTree.Binary} is not there: run ./test.sh, or ./vmm version once";
    }

    /// <summary>Builds the images; where that fails, so do the tests.</summary>
    public static void BuildImages()
    {
        using Process build = Process.Start(new ProcessStartInfo(Path.Combine(SourceTree.Testbed, "build")) { RedirectStandardError = true, RedirectStandardOutput = true })!;
        Task<string> output = build.StandardOutput.ReadToEndAsync();
        Task<string> error = build.StandardError.ReadToEndAsync();
        if (!build.WaitForExit(_buildLimit))
        {
            build.Kill(entireProcessTree: true);
            throw new TimeoutException($"The testbed's images were not built within {_buildLimit}. {error.Result.Trim()}");
        }

        if (build.ExitCode != 0)
        {
            throw new InvalidOperationException($"The testbed's images can't be built: {error.Result.Trim()} {output.Result.Trim()}");
        }
    }
}
