using System.Text.RegularExpressions;
using System.Xml.Linq;

namespace Vmm.Core.Tests.Architecture;

/// <summary>References run towards Vmm.Core only, and pointers stay where they are the subject. Read from the project files and the source.</summary>
public sealed partial class ArchitectureTests
{
    private static readonly string Root = FindRoot();

    private static readonly Dictionary<string, string[]> Graph = new()
    {
        ["Vmm.Core"] = [],
        ["Vmm.Kvm"] = ["Vmm.Core"],
        ["Vmm.Devices.VirtioNet"] = ["Vmm.Core"],
        ["Vmm.Backends.Tap"] = ["Vmm.Core"],
        ["Vmm.Migration"] = ["Vmm.Core"],
        ["Vmm.DemoGuest"] = [],
        ["Vmm.Cli"] = ["Vmm.Core", "Vmm.Kvm", "Vmm.Devices.VirtioNet", "Vmm.Backends.Tap", "Vmm.Migration", "Vmm.DemoGuest"],
    };

    [Fact]
    public void Projects_ThatShip_AreThoseOfTheGraph()
        => Directory.GetFiles(Root, "*.csproj", SearchOption.AllDirectories)
            .Select(p => Path.GetRelativePath(Root, p))
            .Where(p => !p.StartsWith("tests/", StringComparison.Ordinal) && !p.StartsWith("perf/", StringComparison.Ordinal) && !p.StartsWith("artifacts/", StringComparison.Ordinal))
            .Should().BeEquivalentTo(Graph.Keys.Select(name => $"{name}/{name}.csproj"));

    [Fact]
    public void References_FollowTheGraph()
    {
        foreach ((string name, string[] allowed) in Graph)
        {
            Project(name).Descendants("ProjectReference")
                .Select(r => Path.GetFileNameWithoutExtension(r.Attribute("Include")!.Value))
                .Should().BeSubsetOf(allowed, "{0} references only these", name);
        }
    }

    [Fact]
    public void AllowUnsafeBlocks_OnlyWherePointersAreTheSubject()
    {
        XDocument.Load(Path.Combine(Root, "Directory.Build.props")).Descendants("AllowUnsafeBlocks").Single().Value.Should().Be("false");
        Graph.Keys.Where(name => Project(name).Descendants("AllowUnsafeBlocks").Any(e => e.Value == "true"))
            .Should().BeEquivalentTo("Vmm.Core", "Vmm.Kvm", "Vmm.Backends.Tap");
    }

    [Fact]
    public void Sources_AreWhereTheTestsLook()
    {
        Sources("Vmm.Core").Select(s => s.Path).Should().Contain("Vmm.Core/Memory/GuestMemory.cs").And.HaveCountGreaterThan(50);
        GuestPointer().IsMatch(File.ReadAllText(Path.Combine(Root, "Vmm.Core/Memory/ScatterList.cs"))).Should().BeTrue("that is what the pattern finds");
        Sources("Vmm.Kvm").Where(s => RegionHostAddress().IsMatch(s.Text)).Should().ContainSingle();
    }

    [Fact]
    public void Core_UnsafeCode_IsInMemoryAndWhereSystemCallsAreMade()
        => Sources("Vmm.Core").Where(s => UnsafeKeyword().IsMatch(s.Text))
            .Select(s => s.Path.Contains("Socket", StringComparison.Ordinal) ? "sockets" : s.Path.Split('/')[1]).Distinct()
            .Should().BeSubsetOf(["Memory", "Linux", "Events", "Consoles", "sockets"]);

    [Fact]
    public void GuestPointers_AreOnlyInMemory()
    {
        // The internal ways to a raw pointer; the compiler keeps them from other assemblies but not from other folders.
        Sources("Vmm.Core").Where(s => !s.Path.StartsWith("Vmm.Core/Memory/", StringComparison.Ordinal) && GuestPointer().IsMatch(s.Text))
            .Select(s => s.Path).Should().BeEmpty();
        // A span can be turned back into a pointer.
        Graph.Keys.SelectMany(Sources).Where(s => !s.Path.StartsWith("Vmm.Core/Memory/", StringComparison.Ordinal) && s.Text.Contains("AsPointer", StringComparison.Ordinal))
            .Select(s => s.Path).Should().BeEmpty();
        // The number is for those in the kernel who reach guest RAM themselves: the hypervisor's memory slots, and vhost.
        Graph.Keys.SelectMany(Sources).Where(s => RegionHostAddress().IsMatch(s.Text)).Select(s => s.Path).Should().BeSubsetOf(["Vmm.Kvm/KvmVm.cs", "Vmm.Backends.Tap/VhostDescriptor.cs"]);
    }

    [Fact]
    public void Imports_AreLibraryImports()
        => Graph.Keys.SelectMany(Sources).Where(s => s.Text.Contains("[DllImport", StringComparison.Ordinal)).Select(s => s.Path).Should().BeEmpty();

    private static XDocument Project(string name) => XDocument.Load(Path.Combine(Root, name, name + ".csproj"));

    private static IEnumerable<(string Path, string Text)> Sources(string project)
    {
        string folder = Path.Combine(Root, project);
        return Directory.GetFiles(folder, "*.cs", SearchOption.AllDirectories).Select(f => (Path.GetRelativePath(Root, f), File.ReadAllText(f)));
    }

    private static string FindRoot()
    {
        for (DirectoryInfo? folder = new(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            if (File.Exists(Path.Combine(folder.FullName, "Vmm.sln")))
            {
                return folder.FullName;
            }
        }

        throw new InvalidOperationException($"No Vmm.sln above {AppContext.BaseDirectory}.");
    }

    [GeneratedRegex(@"(^|\s)unsafe\s", RegexOptions.Multiline)]
    private static partial Regex UnsafeKeyword();

    [GeneratedRegex(@"\b[Mm]emory\.Translate\(|\bregion\.Host\b|\b(low|high|region|_low|_high)\.Host\b")]
    private static partial Regex GuestPointer();

    [GeneratedRegex(@"\b[Rr]egions?(\[\w+\])?\.HostAddress\b")]
    private static partial Regex RegionHostAddress();
}
