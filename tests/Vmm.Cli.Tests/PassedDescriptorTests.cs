namespace Vmm.Cli.Tests;

/// <summary>Descriptors that were not passed on, whatever vmm has opened under their numbers meanwhile.</summary>
public sealed class PassedDescriptorTests
{
    public PassedDescriptorTests() => Host.RequireKvm();

    [Theory]
    [InlineData("tap")]
    [InlineData("unix-stream")]
    public void Net_DescriptorThatVmmOpenedItself_IsNotOpen(string backend)
    {
        for (int fd = 3; fd <= 9; fd++)
        {
            // A shell names descriptors up to 9; none of them reaches vmm.
            using VmmProcess process = VmmProcess.StartProgram(
                "sh", "-c", $"exec 3>&- 4>&- 5>&- 6>&- 7>&- 8>&- 9>&-; exec {Host.Binary} run --kernel demo --net none --net {backend},fd={fd}");

            process.WaitForExit().Should().Be(ExitCode.HostError, process.Error);
            process.Error.Should().Be($"vmm: net1: descriptor {fd} is not open: whoever starts vmm must pass it on, without close-on-exec.\n");
        }
    }

    [Fact]
    public void Net_DescriptorsOfOtherKinds_AreNamedBeforeTheKernelIsLookedAt()
    {
        using VmmProcess process = VmmProcess.StartProgram("sh", "-c", $"exec 7</dev/null; exec {Host.Binary} run --kernel /no/such/kernel --net tap,fd=7");

        process.WaitForExit().Should().Be(ExitCode.HostError, process.Error);
        process.Error.Should().StartWith("vmm: fd=7 is /dev/null, no TAP");
    }
}
