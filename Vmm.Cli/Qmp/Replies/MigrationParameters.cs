using Vmm.Migration.Live;

namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-migrate-parameters, all in milliseconds.</summary>
/// <param name="DowntimeLimit">QEMU's name: from the pause on, before the guest goes on where it was.</param>
internal sealed record MigrationParameters(long DowntimeLimit, long VerdictTimeout, long PrepareTimeout, long StateTimeout, long StallTimeout)
{
    public static MigrationParameters From(MigrationTimeouts timeouts) => new(
        (long)timeouts.Switchover.TotalMilliseconds,
        (long)timeouts.Verdict.TotalMilliseconds,
        (long)timeouts.Prepare.TotalMilliseconds,
        (long)timeouts.State.TotalMilliseconds,
        (long)timeouts.Stall.TotalMilliseconds);
}
