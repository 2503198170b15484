using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>What became of a migration.</summary>
/// <param name="Verdict">The destination's; null when it was not asked.</param>
/// <param name="Times">When each part was done; null when the guest stays here.</param>
/// <param name="Bytes">What went through the channel, RAM included where it did.</param>
/// <param name="Departure">What is left to do for this process; null when it stays, with its guest or without.</param>
internal sealed record MigrationResult(Verdict? Verdict, MigrationTimes? Times, long Bytes, Departure? Departure);
