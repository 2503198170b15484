namespace Vmm.Testbed.Tests;

/// <summary>Debian's kernel as it is, with its modules, from start to end.</summary>
public sealed class BootTests(L1Fixture fixture)
{
    [Theory]
    [InlineData("bzImage", 1, 3)]
    [InlineData("bzImage", 2, 2)]
    [InlineData("vmlinux", 1, 3)]
    [InlineData("vmlinux", 2, 2)]
    public void StockKernel_BootsAndEndsAsAsked(string kernel, int cpus, int boots)
    {
        for (int boot = 0; boot < (Effort.Rounds ?? boots); boot++)
        {
            Boot(Hypervisor.Vmm, kernel, cpus, boot % 2 == 0 ? "poweroff -f" : "reboot -f");
            if (boot < (Effort.Rounds ?? 1))
            {
                // After a reboot of QEMU's microvm SeaBIOS spins (docs/testbed.md).
                Boot(Hypervisor.Qemu, kernel, cpus, "poweroff -f");
            }
        }
    }

    private void Boot(Hypervisor hypervisor, string kernel, int cpus, string end) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        using L2 guest = new(machine, hypervisor, new L2Options { Kernel = kernel, Cpus = cpus, Tap = tap });

        guest.Cpus.Should().Be(cpus);
        guest.Console.Should().NotContain("L2-NO-MODULE");
        guest.Require("ls /sys/bus/virtio/drivers/virtio_net").Should().Contain("virtio");
        // A module of its own in Debian's kernels; others have it built in.
        guest.Require("! grep -q -x virtio_net /modules/order || lsmod | grep -w virtio_net");
        machine.Require($"ping -c 1 -W 10 {Tap.Guest} || ping -c 1 -W 10 {Tap.Guest}"); // ARP gives up after three seconds.

        JobResult result = guest.End(end);

        result.ExitCode.Should().Be(0, result.Error);
        if (hypervisor == Hypervisor.Vmm)
        {
            result.Error.Should().Contain(end == "poweroff -f" ? "the guest powered off." : "the guest asked for a reset");
        }

        fixture.Results.Add($"{kernel}, {cpus} vCPU: start to init, s", hypervisor, guest.TimeToInit);
        fixture.Results.Add($"{kernel}, {cpus} vCPU: the guest's uptime at init, s", hypervisor, guest.Uptime);
    });
}
