using System.Runtime.CompilerServices;

namespace Vmm.Migration.Tests.Golden;

/// <summary>
/// What this program wrote when the format was decided. A change of it is a change of the format: raise the version and keep the old file's
/// meaning. UPDATE_GOLDEN=1 writes the files that differ; the tests still fail.
/// </summary>
internal static class GoldenFile
{
    public static byte[] Read(string name) => File.ReadAllBytes(Locate(name));

    public static void Check(string name, ReadOnlySpan<byte> actual)
    {
        string path = Locate(name);
        bool same = File.Exists(path) && actual.SequenceEqual(File.ReadAllBytes(path));
        if (!same && Environment.GetEnvironmentVariable("UPDATE_GOLDEN") == "1")
        {
            File.WriteAllBytes(path, actual);
        }

        same.Should().BeTrue($"the golden file {path} is what readers of this version expect");
    }

    private static string Locate(string name, [CallerFilePath] string source = "") => Path.Combine(Path.GetDirectoryName(source)!, name);
}
