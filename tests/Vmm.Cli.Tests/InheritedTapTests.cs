using System.Net;
using Tmds.Linux;
using Vmm.Backends.Tap;
using Vmm.Cli.Demo;
using Vmm.DemoGuest;
using Vmm.Testing.Network;

namespace Vmm.Cli.Tests;

/// <summary>TAP queues that the parent process opened: this one, in a network namespace where vmm is not.</summary>
public sealed class InheritedTapTests
{
    private const int F_SETFD = 2;
    private const int SIGUSR1 = 10;
    private const int SIGTERM = 15;

    public InheritedTapTests() => Host.RequireNetwork();

    [Theory]
    [InlineData(1, "fd=")]
    [InlineData(1, "fds=")]
    [InlineData(3, "fds=")]
    public void DescriptorsOfTheParent_AreTheGuestsQueues(int queues, string key)
    {
        using NetworkTestbed network = new();
        using TapBackend tap = network.OpenTap(GuestOnTap.Interface, queues, "10.0.0.1");
        string net = $"tap,{key}{string.Join(':', tap.Descriptors.Select(descriptor => descriptor.Number))}";
        using VmmProcess process = Start(net, tap);
        process.WaitForOutput("ready");

        // From here on the interface lives by vmm's descriptors alone.
        tap.Dispose();

        for (int flow = 0; flow < 16 * queues; flow++)
        {
            using UdpEchoClient echo = network.Namespace.Run(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
            echo.Run(20, 4, 200, TimeSpan.FromSeconds(5)).IsClean.Should().BeTrue(process.Error);
        }

        process.Error.Should().BeEmpty();
        process.Signal(SIGUSR1);
        process.WaitForError("net0 control: ");
        process.Error.Split('\n').Count(line => line.Contains("net0 pair ", StringComparison.Ordinal)).Should().Be(queues);
        process.Error.Should().Contain("(tap t0)").And.NotContain("receive 0 frames").And.NotContain("transmit 0 frames");

        process.Signal(SIGTERM);
        process.WaitForExit().Should().Be(ExitCode.SignalBase + SIGTERM);
        network.FindLink(GuestOnTap.Interface).Should().BeNull();
    }

    /// <summary>Only this child inherits them: those of later tests do not.</summary>
    private static VmmProcess Start(string net, TapBackend tap)
    {
        foreach (Core.Linux.FileDescriptor descriptor in tap.Descriptors)
        {
            LibC.fcntl(descriptor.Number, F_SETFD, 0).Should().Be(0);
        }

        return VmmProcess.Start("run", "--kernel", "demo", "--memory", "64M", "--append", $"ip={GuestOnTap.GuestAddress}", "--net", net);
    }
}
