namespace Vmm.Testbed.Tests;

/// <summary>What counts as a complaint of a guest's kernel, by lines as Linux 6.1 prints them.</summary>
public sealed class KernelLogTests
{
    [Theory]
    [InlineData("clocksource: timekeeping watchdog on CPU0: wd-tsc-wd excessive read-back delay of 181880ns vs. limit of 125000ns, wd-wd read-back delay only 900ns, attempt 3, marking tsc unstable")]
    [InlineData("clocksource: timekeeping watchdog on CPU0: Marking clocksource 'tsc' as unstable because the skew is too large:")]
    [InlineData("tsc: Marking TSC unstable due to clocksource watchdog")]
    [InlineData("watchdog: BUG: soft lockup - CPU#0 stuck for 22s! [dd:211]")]
    [InlineData("rcu: INFO: rcu_preempt self-detected stall on CPU")]
    [InlineData("virtio_net virtio0: input.0:id 77 is not a head!")]
    [InlineData("I/O error, dev vda, sector 8 op 0x1:(WRITE) flags 0x800 phys_seg 1 prio class 2")]
    public void Complaints_OfALineThatIsOne_HaveIt(string line) => KernelLog.Complaints($"[  172.690411] {line}\n").Should().ContainSingle();

    [Fact]
    public void Complaints_OfAGuestThatWasNotScheduled_AreNone() => KernelLog.Complaints("""
        [  172.690411] clocksource: timekeeping watchdog on CPU0: kvm-clock wd-wd read-back delay of 96087ns
        [  172.690998] clocksource: wd-tsc-wd read-back delay of 181880ns, clock-skew test skipped!
        [  180.101010] clocksource: timekeeping watchdog on CPU1: kvm-clock retried 2 times before success
        [  181.000000] clocksource: Long readout interval, skipping watchdog check: cs_nsec: 1000000000 wd_nsec: 1000000000
        [  182.000000] random: crng init done
        """).Should().BeEmpty();
}
