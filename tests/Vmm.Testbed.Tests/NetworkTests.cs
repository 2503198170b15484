namespace Vmm.Testbed.Tests;

/// <summary>The guest's network card: Debian's virtio_net.ko on a TAP interface.</summary>
public sealed class NetworkTests(L1Fixture fixture)
{
    [Theory]
    [InlineData(Hypervisor.Vmm, false)]
    [InlineData(Hypervisor.Vmm, true)]
    [InlineData(Hypervisor.Qemu, false)]
    [InlineData(Hypervisor.Qemu, true)]
    public void Guest_PingAndIperfBothWays_Work(Hypervisor hypervisor, bool vhost) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        using L2 guest = new(machine, hypervisor, new L2Options { Tap = tap, Vhost = vhost });
        guest.Require("ls /sys/bus/virtio/drivers/virtio_net").Should().Contain("virtio");
        guest.Require("iperf3 -s -D");

        PingReport ping = PingReport.Parse(machine.Require($"ping -i 0.2 -c 25 -W 5 {Tap.Guest}"));
        ping.Received.Should().Be(ping.Sent);
        Record("ping, round trip, ms", ping.Average);

        foreach ((string name, string options) in new[] { ("TCP to the guest", ""), ("TCP from the guest", "-R") })
        {
            IperfReport tcp = IperfReport.Measure(machine, options);
            tcp.Received.Should().BePositive();
            Record(name + ", Mbit/s", tcp.Megabits);
        }

        foreach ((string name, string options) in new[] { ("UDP to the guest", "-u -b 2M"), ("UDP from the guest", "-u -b 2M -R") })
        {
            IperfReport udp = IperfReport.Measure(machine, options);
            if (udp.Received < udp.Sent / 2)
            {
                // After a second in which the host did not run L1, all that is late comes at once, and does not fit. Not twice.
                udp = IperfReport.Measure(machine, options);
            }

            udp.Sent.Should().BePositive();
            udp.Received.Should().BeGreaterThanOrEqualTo(udp.Sent / 2);
            Record(name + " at 2 Mbit/s, lost, %", udp.LostPercent);
        }

        void Record(string what, double value) => fixture.Results.Add((vhost ? "vhost: " : "") + what, hypervisor, value);
    });
}
