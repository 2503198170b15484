using System.Text.RegularExpressions;

namespace Vmm.Testbed.Tests.Harness;

/// <summary>What the guest's kernel has to say, from some moment on.</summary>
internal static partial class KernelLog
{
    /// <summary>Forgets what it said before.</summary>
    public static void Clear(L2 guest) => guest.Require("dmesg -c >/dev/null");

    /// <summary>No complaint since: of clocks, stalls, devices, file systems, or code.</summary>
    public static void RequireClean(L2 guest) => Complaints(guest.Require("dmesg")).Should().BeEmpty();

    /// <summary>L1's kernel, which runs on an emulated CPU, has found no fault in its own code.</summary>
    public static void RequireClean(L1 machine) => machine.Require("dmesg").Split('\n').Where(line => Fault().IsMatch(line)).Should().BeEmpty();

    /// <summary>The lines in which a guest's kernel complains.</summary>
    internal static IEnumerable<string> Complaints(string log) => log.Split('\n').Where(line => Complaint().IsMatch(line) && !NotScheduled().IsMatch(line));

    [GeneratedRegex(@"stall|lockup|unstable|clocksource|hung|\bBUG\b|WARNING|Call Trace|Oops|watchdog|timed out|I/O error|EXT4-fs (error|warning)|tx timeout|skew|is not a head|id \d+ out of range|critical .*error|Unexpected TXQ", RegexOptions.IgnoreCase)]
    private static partial Regex Complaint();

    // The guest did not run for a while between two readings of its clocks, as L1 did not: a matter of this machine's load, after which the
    // kernel makes no comparison. QEMU's guests say it, too, and without a live update. A skipped test of clock skew is told in two lines, the
    // first with the time between two readings of the same clock; "excessive" in its place is the complaint that the clock is not to be used.
    [GeneratedRegex(@"Long readout interval, skipping watchdog check|\w wd-wd read-back delay of \d+ns$|clock-skew test skipped|retried \d+ times before success")]
    private static partial Regex NotScheduled();

    [GeneratedRegex(@"\bBUG\b|WARNING:|Oops")]
    private static partial Regex Fault();
}
