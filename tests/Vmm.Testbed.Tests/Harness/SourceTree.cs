using System.Reflection;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>Where things are on this machine; L1 has them under the same paths.</summary>
internal static class SourceTree
{
    public static string Root { get; } = FindRoot();

    /// <summary>The binary under test: what <c>./test.sh</c> published, or the last one that <c>./vmm</c> did.</summary>
    public static string Binary { get; } = Environment.GetEnvironmentVariable("VMM_BINARY") ?? Path.Combine(Root, "artifacts/publish/Vmm.Cli/release_linux-x64/vmm");

    public static string Testbed { get; } = Path.Combine(Root, "tests/Testbed");

    /// <summary>Consoles, jobs and results of the last run stay here.</summary>
    public static string Artifacts { get; } = Path.Combine(Root, "artifacts/testbed");

    private static string FindRoot()
    {
        string folder = Path.GetDirectoryName(Assembly.GetExecutingAssembly().Location)!;
        while (!File.Exists(Path.Combine(folder, "Vmm.sln")))
        {
            folder = Path.GetDirectoryName(folder) ?? throw new InvalidOperationException("The tests do not lie in the source tree.");
        }

        return folder;
    }
}
