namespace Vmm.Perf.Migration;

/// <summary>When a monitor says that it has handed the guest over.</summary>
/// <param name="StoppedAt">When the old process stopped it; microseconds since 1970.</param>
/// <param name="ResumedAt">When the new one let it run, likewise.</param>
/// <param name="Total">Microseconds that all of it took.</param>
internal sealed record HandOver(double StoppedAt, double ResumedAt, double Total);
