using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>What became of a migration.</summary>
/// <param name="Verdict">The destination's; null when it was not asked.</param>
/// <param name="Times">When each part was done; null when the guest stays here.</param>
/// <param name="Bytes">What went through the channel, RAM included where it did.</param>
/// <param name="Successor">The process that this one has started for it; null when there is none, or the guest stays here.</param>
internal sealed record MigrationResult(Verdict? Verdict, MigrationTimes? Times, long Bytes, ChildProcess? Successor);
