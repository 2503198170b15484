using System.Diagnostics;
using System.Globalization;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Backends.Tap;

/// <summary>
/// Lets an ordinary user make networks: the program is executed again as root of a user namespace of its own, which owns a fresh
/// network namespace. The kernel refuses unshare(CLONE_NEWUSER) to a process with several threads, as every .NET process is, so
/// unshare(1) of util-linux, part of every distribution, does it between the two.
/// </summary>
public static class UserNamespace
{
    private const int CAP_NET_ADMIN = 12;
    private const int CAP_SYS_ADMIN = 21;
    private const string Tool = "unshare";
    private static readonly string[] _options = ["--user", "--map-root-user", "--net", "--"];

    /// <summary>This process may not make network namespaces and TAPs as it is.</summary>
    public static bool IsNeeded => !HasCapability(CAP_NET_ADMIN) || !HasCapability(CAP_SYS_ADMIN);

    /// <summary>Tries (in some 5 ms) whether <see cref="Reexecute"/> can work here. Null when it does, else a sentence with what to do.</summary>
    public static string? FindObstacle()
    {
        if (FindTool() is not { } tool)
        {
            return "The tool unshare (package util-linux) is not in PATH: install it, or run as root.";
        }

        ProcessStartInfo start = new(tool, [.. _options, "true"]) { RedirectStandardError = true, RedirectStandardOutput = true };
        using Process trial = Process.Start(start)!;
        string message = trial.StandardError.ReadToEnd().Trim();
        trial.StandardOutput.ReadToEnd();
        trial.WaitForExit();
        return trial.ExitCode == 0 ? null : $"User namespaces are not available to this user ({message}). {Advice()}";
    }

    /// <summary>
    /// Replaces this process (same process id, same descriptors 0 to 2) by the same program with <paramref name="arguments"/>, as root of
    /// new namespaces, where <see cref="IsNeeded"/> is false. To be called first of all, before the console is used. Returns never.
    /// </summary>
    /// <exception cref="LinuxException">exec failed.</exception>
    public static void Reexecute(IReadOnlyList<string> arguments)
    {
        string tool = FindTool() ?? throw new LinuxException("execv", Tool, LibC.ENOENT, "Install the package util-linux, or run as root.");
        ProcessImage.Replace(tool, [tool, .. _options, .. Self(), .. arguments]);
    }

    /// <summary>The program itself: one file, or the dotnet host and an assembly.</summary>
    private static string[] Self()
    {
        string path = Environment.ProcessPath ?? "/proc/self/exe";
        return Path.GetFileName(path) == "dotnet" ? [path, Environment.GetCommandLineArgs()[0]] : [path];
    }

    private static string? FindTool()
        => (Environment.GetEnvironmentVariable("PATH") ?? "").Split(':').Append("/usr/bin").Append("/bin")
            .Where(folder => folder.StartsWith('/')).Select(folder => Path.Combine(folder, Tool)).FirstOrDefault(File.Exists);

    private static string Advice()
        => Setting("/proc/sys/kernel/apparmor_restrict_unprivileged_userns") == "1"
            ? "Allow them with `sudo sysctl kernel.apparmor_restrict_unprivileged_userns=0`, or run as root."
            : Setting("/proc/sys/kernel/unprivileged_userns_clone") == "0"
            ? "Allow them with `sudo sysctl kernel.unprivileged_userns_clone=1`, or run as root."
            : Setting("/proc/sys/user/max_user_namespaces") == "0"
            ? "Allow them with `sudo sysctl user.max_user_namespaces=10000`, or run as root."
            : "Run as root; in a container, its security profile may forbid them.";

    private static string? Setting(string path) => File.Exists(path) ? File.ReadAllText(path).Trim() : null;

    private static bool HasCapability(int number)
    {
        const string Label = "CapEff:";
        string? line = File.ReadLines("/proc/thread-self/status").FirstOrDefault(l => l.StartsWith(Label, StringComparison.Ordinal));
        return line is not null
            && ulong.TryParse(line.AsSpan(Label.Length).Trim(), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture, out ulong set)
            && (set >> number & 1) != 0;
    }
}
