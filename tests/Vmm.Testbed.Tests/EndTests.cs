namespace Vmm.Testbed.Tests;

/// <summary>The other ways in which a stock guest ends, and what it is given while it runs.</summary>
public sealed class EndTests(L1Fixture fixture)
{
    private const int GuestPanic = 102;

    [Fact]
    public void Stop_OfAGuestThatListens_PowersItOffByItsButton() => fixture.Run(machine =>
    {
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options { Cpus = 2 });
        guest.Require("cat /sys/class/misc/hw_random/rng_current").Trim().Should().Be("virtio_rng.0");
        guest.Require("head -c 1000 /dev/hwrng | wc -c").Trim().Should().Be("1000");
        LiveUpdate.AllowLongPauses(machine, guest);
        LiveUpdate.Do(machine, guest);

        JobResult stop = machine.Run($"\"$VMM_BINARY\" stop {guest.Name} --timeout 60", TimeSpan.FromSeconds(80));

        stop.ExitCode.Should().Be(0);
        stop.Error.Should().BeEmpty("the guest has ended by itself");
        guest.WaitForEnd().ExitCode.Should().Be(0);
        guest.Console.Should().Contain("L2-POWER-BUTTON");
    });

    [Fact]
    public void Stop_OfAGuestThatIgnoresIt_EndsItAfterTheDeadline() => fixture.Run(machine =>
    {
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options());
        guest.Require("killall acpid");

        JobResult stop = machine.Run($"\"$VMM_BINARY\" stop {guest.Name} --timeout 2", TimeSpan.FromSeconds(60));

        stop.ExitCode.Should().Be(0);
        stop.Error.Should().Contain("the guest has not powered off within 2 s");
        guest.WaitForEnd().ExitCode.Should().Be(0);
    });

    [Fact]
    public void Panic_IsTheExitCode() => fixture.Run(machine =>
    {
        using L2 guest = new(machine, Hypervisor.Vmm, new L2Options());

        JobResult end = guest.End("echo c >/proc/sysrq-trigger");

        end.ExitCode.Should().Be(GuestPanic, end.Error);
        end.Error.Should().Contain("the guest's kernel panicked");
    });
}
