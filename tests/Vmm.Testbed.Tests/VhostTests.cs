using System.Globalization;
using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests;

/// <summary>Tests of other projects that need a /dev/vhost-net, which L1 has.</summary>
public sealed partial class VhostTests(L1Fixture fixture)
{
    private static readonly TimeSpan _limit = TimeSpan.FromMinutes(15);

    // The descriptor is for one vmm and those that take the guest from it; nobody can open another one.
    private const string GivenDescriptor = "unshare --mount bash -c 'exec 9<>/dev/vhost-net; mount --bind /dev/null /dev/vhost-net; export VMM_TEST_NET=vhostfd=9; exec \"$@\"' bash";

    /// <summary>None is to be skipped. The last of them: updates that are given up when the guest has been paused and the kernel's rings have been taken from the old process.</summary>
    [Theory]
    [InlineData("Vmm.Devices.VirtioNet.Tests", "-class *.VhostTests")]
    [InlineData("Vmm.Backends.Tap.Tests", "-class *.VhostOpenTests -method- *.Open_NoDevice_*")]
    [InlineData("Vmm.Cli.Tests", "-method *.KillMatrixTests.Destination_ThatWakes* -method *.KillMatrixTests.Updates_After*")]
    public void Project_WithVhost_PassesItsTests(string project, string selection) => RunAll("VMM_TEST_NET=vhost=on", project, selection);

    /// <summary>Where it may open no other, the old process gives its own away: it lets go of it in the pause, and takes it back when the update fails.</summary>
    [Fact]
    public void LiveUpdates_WithTheOnlyVhostDescriptor_TakeItAlong() => RunAll(GivenDescriptor, "Vmm.Cli.Tests", "-method *.KillMatrixTests.Updates_After*");

    private void RunAll(string before, string project, string selection) => fixture.Run(machine =>
    {
        string program = Path.Combine(SourceTree.Root, "artifacts/bin", project, "debug", project);

        JobResult result = machine.Run($"{before} {program} -noLogo -noColor -parallelMode none {selection.Replace("*", @"\*", StringComparison.Ordinal)}", _limit);

        result.ExitCode.Should().Be(0, result.Output);
        Match summary = Summary().Match(result.Output);
        int.Parse(summary.Groups[1].Value, CultureInfo.InvariantCulture).Should().BePositive(result.Output);
        summary.Groups[2].Value.Should().Be("0", result.Output);
    });

    [GeneratedRegex(@"Total: (\d+), .* Skipped: (\d+)")]
    private static partial Regex Summary();
}
