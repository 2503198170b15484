using System.Text.Json.Serialization;
using Vmm.Cli.Machines;

namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-migrate.</summary>
/// <param name="Status">QEMU's MigrationStatus.</param>
/// <param name="ErrorDesc">Why it failed.</param>
/// <param name="Downtime">QEMU's: whole milliseconds. Not known where a stream came from.</param>
/// <param name="TotalTime">QEMU's: whole milliseconds.</param>
/// <param name="Phases">Ours, in microseconds; where RAM was shared.</param>
/// <param name="Transferred">Ours: bytes that went through the channel.</param>
internal sealed record MigrationInfo(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ErrorDesc,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Downtime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? TotalTime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MigrationPhases? Phases,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Transferred)
{
    private const int Millisecond = 1_000_000;

    public static MigrationInfo From(MigrationStatus status) => status is { Name: "completed", Times: { } times }
        ? new(
            status.Name,
            null,
            times.Prepared == 0 ? null : times.Downtime / Millisecond,
            (times.Running - times.Started) / Millisecond,
            times.Saved == 0 ? null : MigrationPhases.From(times),
            status.Bytes)
        : new(status.Name, status.Error, null, null, null, null);
}
