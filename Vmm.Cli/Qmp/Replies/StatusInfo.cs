namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-status.</summary>
/// <param name="Singlestep">Always false here.</param>
internal sealed record StatusInfo(string Status, bool Singlestep, bool Running);
