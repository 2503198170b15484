namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-name, and each element of query-commands.</summary>
internal sealed record NameInfo(string Name);
