namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-memory-size-summary, in bytes.</summary>
internal sealed record MemorySummary(ulong BaseMemory, ulong PluggedMemory);
