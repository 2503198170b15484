namespace Vmm.Perf.Budgets;

/// <summary>A device file that the benchmarks of a class open.</summary>
[AttributeUsage(AttributeTargets.Class, AllowMultiple = true)]
public sealed class RequiresAttribute(string path) : Attribute
{
    public string Path { get; } = path;

    /// <summary>Null, or why it can't be opened for reading and writing.</summary>
    public string? Missing()
    {
        try
        {
            using FileStream file = new(Path, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite, bufferSize: 0);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return e.Message;
        }
    }
}
