namespace Vmm.Testbed.Tests;

/// <summary>Debian's kernel as it is, with its modules, from start to end.</summary>
public sealed class BootTests(L1Fixture fixture)
{
    [Theory]
    [InlineData("bzImage", 1, 3)]
    [InlineData("bzImage", 2, 2)]
    [InlineData("vmlinux", 1, 3)]
    [InlineData("vmlinux", 2, 2)]
    public void StockKernel_BootsAndEndsAsAsked(string kernel, int cpus, int boots) => fixture.Run(machine =>
    {
        using Tap tap = new(machine);
        L2Options options = new() { Kernel = kernel, Cpus = cpus, Tap = tap };
        for (int boot = 0; boot < (Effort.Rounds ?? boots); boot++)
        {
            string end = boot % 2 == 0 ? "poweroff -f" : "reboot -f";
            Boot(machine, Hypervisor.Vmm, options, end);
            if (boot < (Effort.Rounds ?? 1))
            {
                Boot(machine, Hypervisor.Qemu, options, end);
            }
        }
    });

    private void Boot(L1 machine, Hypervisor hypervisor, L2Options options, string end)
    {
        using L2 guest = new(machine, hypervisor, options);

        guest.Cpus.Should().Be(options.Cpus);
        guest.Console.Should().NotContain("L2-NO-MODULE");
        guest.Require("cat /sys/class/net/eth0/device/driver/module/name 2>/dev/null || ls /sys/bus/virtio/drivers/virtio_net").Should().Contain("virtio");
        machine.Require($"ping -c 1 -W 10 {Tap.Guest}");
        fixture.Results.Add($"{options.Kernel}, {options.Cpus} vCPU: start to init, s", hypervisor, guest.TimeToInit);
        fixture.Results.Add($"{options.Kernel}, {options.Cpus} vCPU: the guest's uptime at init, s", hypervisor, guest.Uptime);

        JobResult result = guest.End(end);

        result.ExitCode.Should().Be(0, result.Error);
    }
}
