using System.Diagnostics;
using System.Net;
using System.Net.Sockets;
using Vmm.Cli.Demo;

namespace Vmm.Cli.Tests;

/// <summary>A guest that shares no line with this project's own: tests/ForeignGuest, C compiled by the host's gcc, all of it in ring 0.</summary>
public sealed class ForeignGuestTests
{
    private const int EchoPort = 7;
    private const int EndPort = 9;
    private const int EndStatus = 3;

    public ForeignGuestTests()
    {
        Host.RequireNetwork();
        Host.RequireTool("gcc");
    }

    [Theory]
    [InlineData("poll")]
    [InlineData("edge")]
    [InlineData("level")]
    public void ForeignGuest_OfEachKindOfWaiting_BootsAnswersAndEnds(string waiting)
    {
        using TemporaryFolder folder = new();
        using GuestOnTap guest = GuestOnTap.StartKernel(Compile(folder), append: waiting);

        using (IcmpEchoClient ping = guest.Open(() => new IcmpEchoClient(GuestOnTap.GuestAddress)))
        {
            ping.Run(500, 4, 56, TimeSpan.FromSeconds(5)).IsClean.Should().BeTrue();
        }

        using (UdpEchoClient echo = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, EchoPort))))
        {
            echo.Run(500, 4, 1000, TimeSpan.FromSeconds(5)).IsClean.Should().BeTrue();
        }

        using Socket end = guest.Network.OpenUdp();
        end.SendTo("x"u8, new IPEndPoint(GuestOnTap.GuestAddress, EndPort));
        guest.Process.WaitForExit().Should().Be(EndStatus);
        guest.Process.Output.Should().Contain("foreign guest: bye");
    }

    private static string Compile(TemporaryFolder folder)
    {
        string kernel = folder["guest.elf"];
        ProcessStartInfo build = new("sh", [Path.Combine(Host.Root, "tests/ForeignGuest/build.sh"), kernel]) { RedirectStandardError = true };
        using Process process = Process.Start(build)!;
        string errors = process.StandardError.ReadToEnd();
        process.WaitForExit();
        process.ExitCode.Should().Be(0, errors);
        return kernel;
    }
}
