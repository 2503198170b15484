using System.Reflection;
using System.Text.Json;
using Vmm.Core.State;

namespace Vmm.Cli.Tests;

/// <summary><c>vmm inspect</c> on the golden stream of the migration tests.</summary>
public sealed class InspectTests : IDisposable
{
    private static readonly string s_golden = Path.Combine(Host.Root, "tests/Vmm.Migration.Tests/Golden");
    private static readonly string s_stream = Path.Combine(s_golden, "machine.stream");

    private readonly TemporaryFolder _folder = new();

    public InspectTests() => Host.RequireBinary();

    public void Dispose() => _folder.Dispose();

    [Fact]
    public void Inspect_InAPipe_IsIndentedText()
    {
        (int code, string output, string error) = VmmProcess.Run("inspect", s_stream);

        code.Should().Be(0);
        error.Should().BeEmpty();
        output.Should().StartWith("serial (0)\n  ier: 0xfc\n").And.Contain("\nnet0/virtio-net (1)\n  device\n    mac: ca 60 6d 50 37 af\n    link_up: true\n")
            .And.Contain("\n  pairs\n    [0]\n      pending_length: 0x00000005\n").And.NotContain("\u001b");
    }

    [Fact]
    public void Inspect_OnATerminal_IsATree()
    {
        Host.RequireTool("script");
        using VmmProcess process = VmmProcess.StartProgram("script", "-qefc", $"{Host.Binary} inspect {s_stream}", "/dev/null");

        process.WaitForExit().Should().Be(0);
        process.Output.Should().Contain("── ").And.Contain("net0/virtio-net (1)").And.Contain("(64");
    }

    [Fact]
    public void InspectJson_OfAFile_HasTheFormOfTheInspector()
        => VmmProcess.Run("inspect", "--json", s_stream).Output.Should().Be(File.ReadAllText(Path.Combine(s_golden, "machine.inspect.json")));

    [Fact]
    public void Inspect_OfTheSameTwice_PrintsNothing() => VmmProcess.Run("inspect", s_stream, s_stream).Should().Be((0, "", ""));

    [Fact]
    public void Inspect_OfTwoThatDiffer_ShowsWhere()
    {
        byte[] bytes = File.ReadAllBytes(s_stream);
        int fifo = bytes.AsSpan().IndexOf((ReadOnlySpan<byte>)[0x54, 0xd1, 0x58, 0xfa]);
        bytes[fifo + 1] ^= 0xff;
        string other = _folder.Write("other", bytes);

        VmmProcess.Run("inspect", s_stream, other).Should().Be((
            ExitCode.CheckFailed,
            "serial (0).receive_fifo\t54 d1 58 fa 43 bf f8 75 1e 9d f1 6e 08 54 27 09\t54 2e 58 fa 43 bf f8 75 1e 9d f1 6e 08 54 27 09\n",
            ""));
        (int code, string output, _) = VmmProcess.Run("inspect", "--json", s_stream, other);
        code.Should().Be(ExitCode.CheckFailed);
        JsonElement difference = JsonDocument.Parse(output).RootElement.EnumerateArray().Single();
        difference.GetProperty("path").GetString().Should().Be("serial (0).receive_fifo");
        difference.GetProperty("right").GetString().Should().StartWith("54 2e ");
    }

    [Fact]
    public void InspectSchema_HasEverySectionWithItsVersions()
    {
        (int code, string output, string error) = VmmProcess.Run("inspect", "--schema");

        code.Should().Be(0);
        error.Should().BeEmpty();
        JsonElement[] sections = [.. JsonDocument.Parse(output).RootElement.GetProperty("devices").EnumerateArray()];
        sections.Select(section => (section.GetProperty("name").GetString()!, section.GetProperty("version").GetInt32(), section.GetProperty("minimum_version").GetInt32()))
            .Should().Equal(StateCatalogue.Kinds.Select(kind => (kind.Name, kind.Version, kind.MinimumVersion)));
        sections.Should().AllSatisfy(section => section.GetProperty("fields").GetArrayLength().Should().BePositive());
    }

    [Fact]
    public void Catalogue_KnowsEverySectionThatThereIs()
    {
        // Found, not listed: a section that is missing in the catalogue would be refused by the other side.
        string[] described = [.. AppDomain.CurrentDomain.GetAssemblies().Concat(References()).Distinct()
            .Where(assembly => assembly.GetName().Name is { } name && name.StartsWith("Vmm.", StringComparison.Ordinal) && !name.EndsWith(".Tests", StringComparison.Ordinal) || assembly == typeof(StateCatalogue).Assembly)
            .SelectMany(assembly => assembly.GetTypes())
            .Where(type => !type.IsAbstract && !type.ContainsGenericParameters && type.BaseType is { IsGenericType: true } parent && parent.GetGenericTypeDefinition() == typeof(StateSection<>))
            .Select(type => (string)type.BaseType!.GetGenericArguments()[0].GetProperty("StateName", BindingFlags.Static | BindingFlags.Public)!.GetValue(null)!)
            .Distinct()];

        described.Should().HaveCountGreaterThanOrEqualTo(5);
        StateCatalogue.Kinds.Select(kind => kind.Name).Should().OnlyHaveUniqueItems().And.Contain(described);
        StateCatalogue.Find("cpu").Should().BeSameAs(StateCatalogue.Kinds.Single(kind => kind.Name == "cpu"));
        StateCatalogue.Find("no-such").Should().BeNull();
    }

    [Theory]
    [InlineData("/etc/passwd", "/etc/passwd can't be shown: description: there is none at the end of the file")]
    [InlineData("/no-such-file", "/no-such-file can't be read: ")]
    [InlineData("/proc", "/proc is a folder: name a file.")]
    [InlineData("/dev/stdin", "/dev/stdin is a pipe or a device")]
    public void Inspect_OfSomethingElse_SaysSo(string path, string message)
    {
        (int code, string output, string error) = VmmProcess.Run("inspect", path);

        code.Should().Be(ExitCode.HostError);
        output.Should().BeEmpty();
        error.Should().StartWith("vmm: " + message);
        error.TrimEnd('\n').Should().NotContain("\n");
    }

    private static IEnumerable<Assembly> References() => typeof(StateCatalogue).Assembly.GetReferencedAssemblies().Select(Assembly.Load);
}
