namespace Vmm.Cli.Qmp.Replies;

/// <summary>live-update.</summary>
/// <param name="Accepted">The new process's verdict.</param>
/// <param name="Reasons">What stands against it.</param>
/// <param name="Pid">The process that runs the guest now.</param>
/// <param name="Phases">Null when the guest stayed where it was.</param>
internal sealed record LiveUpdateReply(bool Accepted, IReadOnlyList<string> Reasons, int Pid, MigrationPhases? Phases);
