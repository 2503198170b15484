using Vmm.Migration.Live;

namespace Vmm.Cli.Qmp.Replies;

/// <summary>How long each part of a migration took, in microseconds. The guest did not run from <see cref="Pause"/> on.</summary>
/// <param name="Verdict">Start of the new process, and its verdict.</param>
/// <param name="Prepare">The machine is built there.</param>
/// <param name="Pause">vCPUs and queues are stopped.</param>
/// <param name="Save">The state is read.</param>
/// <param name="Send">It goes over.</param>
/// <param name="Load">It is read and checked there.</param>
/// <param name="Apply">It is set.</param>
/// <param name="Run">The queues and vCPUs go on.</param>
/// <param name="Downtime">From pause to run.</param>
/// <param name="EarlierDowntime">The same of the way to the helper, for the mode exec; the other parts are of the way back. 0 otherwise.</param>
/// <param name="PausedAt">When <see cref="Pause"/> began, by CLOCK_MONOTONIC.</param>
internal sealed record MigrationPhases(
    double Verdict, double Prepare, double Pause, double Save, double Send, double Load, double Apply, double Run, double Downtime, double EarlierDowntime, double PausedAt)
{
    public static MigrationPhases From(MigrationTimes times) => new(
        Microseconds(times.Started, times.Accepted),
        Microseconds(times.Accepted, times.Prepared),
        Microseconds(times.Prepared, times.Paused),
        Microseconds(times.Paused, times.Saved),
        Microseconds(times.Saved, times.Received),
        Microseconds(times.Received, times.Loaded),
        Microseconds(times.Loaded, times.Applied),
        Microseconds(times.Applied, times.Running),
        Microseconds(times.Prepared, times.Running),
        Microseconds(0, times.EarlierDowntime),
        Microseconds(0, times.Prepared));

    /// <summary>Each by its name, in their order.</summary>
    public IReadOnlyList<(string Name, double Microseconds)> GetRows() =>
    [
        ("verdict", Verdict), ("prepare", Prepare), ("pause", Pause), ("save", Save), ("send", Send),
        ("load", Load), ("apply", Apply), ("run", Run), ("downtime", Downtime),
    ];

    private static double Microseconds(long from, long to) => (to - from) / 1000.0;
}
