namespace Vmm.Cli.Tests.Harness;

/// <summary>The network namespaces that a process uses, and whether anything still refers to them.</summary>
internal sealed class NamespaceTrace
{
    private static readonly string? _own = Target("/proc/self/task", "ns/net");

    private readonly HashSet<string> _seen = [];

    /// <summary>Notes the namespaces of all threads of the process but this test's own and <paramref name="known"/>.</summary>
    public void Look(VmmProcess process, string? known = null)
    {
        try
        {
            foreach (string thread in process.ThreadFolders)
            {
                if (Link(thread) is { } name && name != _own && name != known)
                {
                    _seen.Add(name);
                }
            }
        }
        catch (IOException)
        {
            // It has just ended.
        }
    }

    /// <summary>A thread that is still in one of them, or a mount that keeps one; null when there is none.</summary>
    public string? FindLeftover()
    {
        if (_seen.Count == 0)
        {
            return null;
        }

        string? mount = File.ReadLines("/proc/self/mountinfo").FirstOrDefault(line => _seen.Any(line.Contains));
        return mount ?? Directory.EnumerateDirectories("/proc")
            .Where(folder => char.IsAsciiDigit(Path.GetFileName(folder)[0]))
            .SelectMany(Threads)
            .FirstOrDefault(thread => Link(thread) is { } name && _seen.Contains(name));
    }

    private static string[] Threads(string process)
    {
        try
        {
            return Directory.GetDirectories(Path.Combine(process, "task"));
        }
        catch (IOException)
        {
            return [];
        }
    }

    private static string? Target(string folder, string name) => Link(Directory.GetDirectories(folder)[0], name);

    private static string? Link(string thread, string name = "ns/net")
    {
        try
        {
            return new FileInfo(Path.Combine(thread, name)).LinkTarget;
        }
        catch (IOException)
        {
            return null;
        }
    }
}
