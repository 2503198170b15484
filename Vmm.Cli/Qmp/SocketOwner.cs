using System.Globalization;
using Vmm.Core.Linux;

namespace Vmm.Cli.Qmp;

/// <summary>Finds the process that listens on a UNIX socket, for one that does not say so itself.</summary>
internal static class SocketOwner
{
    private const int FlagsColumn = 3;
    private const int InodeColumn = 6;
    private const int PathColumn = 7;
    private const string IsListening = "00010000";

    /// <summary>Null when there is none that this user can see; only sockets of this network namespace can be.</summary>
    public static ProcessDescriptor? Find(string path)
    {
        string? inode = File.ReadLines("/proc/net/unix")
            .Select(line => line.Split(' ', PathColumn + 1, StringSplitOptions.RemoveEmptyEntries))
            .FirstOrDefault(columns => columns.Length > PathColumn && columns[PathColumn] == path && columns[FlagsColumn] == IsListening)?[InodeColumn];
        if (inode is null)
        {
            return null;
        }

        foreach (string folder in Directory.EnumerateDirectories("/proc"))
        {
            if (int.TryParse(Path.GetFileName(folder), NumberStyles.None, CultureInfo.InvariantCulture, out int process)
                && ProcessDescriptor.TryOpen(process) is { } opened)
            {
                // ORDER: looked at after it was opened: what is found now is of that very process, or it has ended.
                if (Holds(folder, $"socket:[{inode}]"))
                {
                    return opened;
                }

                opened.Dispose();
            }
        }

        return null;
    }

    private static bool Holds(string folder, string socket)
    {
        try
        {
            return Directory.EnumerateFileSystemEntries(Path.Combine(folder, "fd")).Any(file => new FileInfo(file).LinkTarget == socket);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            return false;
        }
    }
}
