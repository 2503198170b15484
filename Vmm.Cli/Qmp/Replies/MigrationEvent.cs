namespace Vmm.Cli.Qmp.Replies;

/// <summary>MIGRATION.</summary>
internal sealed record MigrationEvent(string Status);
