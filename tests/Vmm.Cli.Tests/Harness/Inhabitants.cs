using System.Globalization;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests.Harness;

/// <summary>The processes of a test's network namespace, as /proc shows them: a machine's process, and every later one of the same machine.</summary>
internal sealed class Inhabitants(NetworkTestbed network)
{
    private readonly string _namespace = network.Namespace.Run(() => new FileInfo("/proc/thread-self/ns/net").LinkTarget!);

    /// <summary>All that have not ended.</summary>
    public IReadOnlyList<int> All =>
    [
        .. from folder in Directory.EnumerateDirectories("/proc")
           let name = Path.GetFileName(folder)
           where char.IsAsciiDigit(name[0]) && LinkOf(Path.Combine(folder, "ns/net")) == _namespace
           select int.Parse(name, CultureInfo.InvariantCulture),
    ];

    /// <summary>Those that have vCPUs.</summary>
    public IReadOnlyList<int> WithCpus => [.. All.Where(id => Open(id, "anon_inode:kvm-vcpu").Count > 0)];

    /// <summary>Those that have an interface open, once for each descriptor.</summary>
    public IReadOnlyList<int> WithTap(string name) =>
    [
        .. from id in All
           from number in Open(id, "/dev/net/tun")
           where Info(id, number).Contains($"iff:\t{name}\n", StringComparison.Ordinal)
           select id,
    ];

    /// <summary>Whether signals have stopped it.</summary>
    public static bool IsStopped(int id) => StateOf(id) is 'T';

    public static bool Exists(int id) => StateOf(id) is not null;

    /// <summary>Null when there is no such process.</summary>
    private static char? StateOf(int id)
    {
        try
        {
            string status = File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/stat"));
            return status.Length > 0 ? status[status.LastIndexOf(')') + 2] : null;
        }
        catch (IOException)
        {
            return null;
        }
    }

    private static List<string> Open(int id, string target)
    {
        try
        {
            return [.. Directory.EnumerateFiles(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/fd")).Where(link => LinkOf(link)?.StartsWith(target, StringComparison.Ordinal) == true).Select(link => Path.GetFileName(link)!)];
        }
        catch (IOException)
        {
            return []; // it has just ended
        }
    }

    private static string Info(int id, string number)
    {
        try
        {
            return File.ReadAllText(string.Create(CultureInfo.InvariantCulture, $"/proc/{id}/fdinfo/{number}"));
        }
        catch (IOException)
        {
            return "";
        }
    }

    private static string? LinkOf(string path)
    {
        try
        {
            return new FileInfo(path).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
