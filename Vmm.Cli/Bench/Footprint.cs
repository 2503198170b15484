using System.Globalization;
using Vmm.Core.Memory;

namespace Vmm.Cli.Bench;

/// <summary>What a process has of the host, from /proc.</summary>
/// <param name="Descriptors">Open files.</param>
/// <param name="Memfds">Those of them that are memory.</param>
/// <param name="Threads">In all.</param>
/// <param name="PrivateBytes">Resident, without shared memory, which is the guest's.</param>
internal readonly record struct Footprint(int Descriptors, int Memfds, int Threads, long PrivateBytes)
{
    /// <summary>More than this is no noise.</summary>
    private const long MostGrowth = 4 << 20;

    /// <summary>Null when there is no such process.</summary>
    public static Footprint? TryRead(int process)
    {
        string folder = $"/proc/{process.ToString(CultureInfo.InvariantCulture)}";
        try
        {
            FileInfo[] files = new DirectoryInfo($"{folder}/fd").GetFiles();
            return new Footprint(
                files.Length,
                files.Count(file => file.LinkTarget is { } target && (target.StartsWith("/memfd:", StringComparison.Ordinal) || target.Contains(GuestMemoryFile.Name, StringComparison.Ordinal))),
                Directory.GetDirectories($"{folder}/task").Length,
                ReadPrivateBytes($"{folder}/status"));
        }
        catch (IOException)
        {
            return null;
        }
    }

    /// <summary>The processes that this one has started, or has been given as the next of kin.</summary>
    public static IReadOnlyList<int> FindChildren(int process)
        => [.. Directory.EnumerateDirectories("/proc").Select(folder => ParseNumber(Path.GetFileName(folder))).Where(id => id > 0 && ReadParent(id) == process)];

    /// <summary>What there is more of than there was, in words; nothing when that is nothing.</summary>
    public IEnumerable<string> FindGrowth(Footprint before)
    {
        foreach ((string what, int now, int then) in ((string, int, int)[])[
            ("open files", Descriptors, before.Descriptors), ("memfds", Memfds, before.Memfds), ("threads", Threads, before.Threads)])
        {
            if (now > then)
            {
                yield return $"{now} {what} instead of {then}";
            }
        }

        if (PrivateBytes > before.PrivateBytes + MostGrowth)
        {
            yield return string.Create(CultureInfo.InvariantCulture, $"{PrivateBytes >> 10} KiB of memory instead of {before.PrivateBytes >> 10} KiB");
        }
    }

    private static long ReadPrivateBytes(string status)
    {
        long sum = 0;
        foreach (string line in File.ReadLines(status))
        {
            if (line.StartsWith("RssAnon:", StringComparison.Ordinal) || line.StartsWith("RssFile:", StringComparison.Ordinal))
            {
                sum += long.Parse(line.Split((char[])[' ', '\t'], StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) << 10;
            }
        }

        return sum;
    }

    private static int ReadParent(int process)
    {
        try
        {
            // proc(5): the name, in parentheses, may hold anything; state and parent follow.
            string stat = File.ReadAllText($"/proc/{process.ToString(CultureInfo.InvariantCulture)}/stat");
            return ParseNumber(stat[(stat.LastIndexOf(')') + 2)..].Split(' ')[1]);
        }
        catch (IOException)
        {
            return 0;
        }
    }

    private static int ParseNumber(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out int number) ? number : 0;
}
