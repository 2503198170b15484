namespace Vmm.Cli;

/// <summary>Where this program lies.</summary>
internal static class ProgramFile
{
    /// <summary>proc(5): added to the name of a file that has been removed, or replaced by another of that name.</summary>
    private const string Deleted = " (deleted)";

    /// <summary>What lies there now may be a newer one.</summary>
    public static string Path => Environment.ProcessPath is { } path && path.EndsWith(Deleted, StringComparison.Ordinal) ? path[..^Deleted.Length] : Environment.ProcessPath!;
}
