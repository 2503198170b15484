using System.Text.Json.Serialization;
using Vmm.Cli.Machines;

namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-migrate.</summary>
/// <param name="Status">QEMU's MigrationStatus.</param>
/// <param name="ErrorDesc">Why it failed.</param>
/// <param name="Downtime">QEMU's: whole milliseconds.</param>
/// <param name="TotalTime">QEMU's: whole milliseconds.</param>
/// <param name="Phases">Ours, in microseconds.</param>
/// <param name="StateBytes">Ours: bytes of device and vCPU state.</param>
internal sealed record MigrationInfo(
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? Status,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] string? ErrorDesc,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? Downtime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] long? TotalTime,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] MigrationPhases? Phases,
    [property: JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)] int? StateBytes)
{
    public static MigrationInfo From(Migrations migrations) => migrations is { Status: "completed", Times: { } times }
        ? new(migrations.Status, null, times.Downtime / 1_000_000, (times.Running - times.Started) / 1_000_000, MigrationPhases.From(times), times.StateBytes)
        : new(migrations.Status, migrations.Status == "failed" ? migrations.Error : null, null, null, null, null);
}
