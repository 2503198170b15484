using Vmm.Core.Linux;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>What became of a live update.</summary>
/// <param name="Verdict">The new process's.</param>
/// <param name="Times">When each part was done; null when the guest stays here.</param>
/// <param name="Successor">The process that runs the guest now; null when it stays here.</param>
internal sealed record LiveUpdateResult(Verdict Verdict, MigrationTimes? Times, ChildProcess? Successor);
