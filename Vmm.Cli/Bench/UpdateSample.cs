using Vmm.Cli.Qmp.Replies;

namespace Vmm.Cli.Bench;

/// <summary>One live update.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Process">That the guest went to.</param>
/// <param name="Phases">As the two processes measured them.</param>
/// <param name="QuietGapTicks">The same as the next one, in the interval before the update.</param>
/// <param name="GuestGapTicks">The longest time between two rounds of the guest's main loop, by its own clock; null when it does not poll.</param>
/// <param name="Silence">The longest time between two answers of the echo stream; null without one.</param>
/// <param name="Unanswered">Requests of the echo stream without an answer when the next update began.</param>
/// <param name="Footprint">Of the new process when the next update began.</param>
internal sealed record UpdateSample(int Number, int Process, MigrationPhases Phases, ulong? QuietGapTicks, ulong? GuestGapTicks, TimeSpan? Silence, int Unanswered, Footprint Footprint);
