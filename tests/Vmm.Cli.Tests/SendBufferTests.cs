using System.Net;
using Tmds.Linux;
using Vmm.Cli.Demo;
using Vmm.Core.Linux;
using Vmm.DemoGuest;

namespace Vmm.Cli.Tests;

/// <summary><c>--net tap,ifname=NAME,sndbuf=BYTES</c>.</summary>
public sealed class SendBufferTests
{
    public SendBufferTests() => Host.RequireNetwork();

    [Fact]
    public unsafe void Tap_HasIt_AndCarriesMoreThanThatAtATime()
    {
        const int TUNGETSNDBUF = unchecked((int)0x8004_54D3);
        const int Bytes = 5000;
        using GuestOnTap guest = GuestOnTap.Start($"sndbuf={Bytes}");

        using (FileDescriptor tap = BorrowedDescriptor.Take(guest.Process, "/dev/net/tun"))
        {
            int set;
            LibC.ioctl(tap.Number, TUNGETSNDBUF, &set).Should().Be(0);
            set.Should().Be(Bytes);
        }

        using UdpEchoClient echo = guest.Open(() => new UdpEchoClient(new IPEndPoint(GuestOnTap.GuestAddress, DemoGuestStatus.EchoPort)));
        echo.Run(2000, 64, 1400, TimeSpan.FromSeconds(5)).IsClean.Should().BeTrue();
        guest.Process.Error.Should().BeEmpty();
    }
}
