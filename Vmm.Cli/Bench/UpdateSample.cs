using Vmm.Cli.Qmp.Replies;
using Vmm.DemoGuest;

namespace Vmm.Cli.Bench;

/// <summary>One live update.</summary>
/// <param name="Number">From 1.</param>
/// <param name="Process">That the guest went to.</param>
/// <param name="Phases">As the two processes measured them.</param>
/// <param name="GuestGapTicks">The longest time between two rounds of the guest's main loop, by its own clock; null when it does not poll.</param>
/// <param name="QuietGapTicks">The same in the interval before the update.</param>
/// <param name="Gaps">When the guest was away of late.</param>
/// <param name="Silence">The longest time between two answers of the echo stream; null without one.</param>
/// <param name="Unanswered">Requests of the echo stream without an answer when the next update began.</param>
/// <param name="Footprint">Of the new process when the next update began.</param>
internal sealed record UpdateSample(
    int Number, int Process, MigrationPhases Phases, ulong? GuestGapTicks, ulong? QuietGapTicks, DemoGuestGaps Gaps, TimeSpan? Silence, int Unanswered, Footprint Footprint);
