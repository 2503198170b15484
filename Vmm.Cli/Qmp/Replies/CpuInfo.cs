namespace Vmm.Cli.Qmp.Replies;

/// <summary>An element of query-cpus-fast.</summary>
internal sealed record CpuInfo(int ThreadId, CpuTopology Props, string QomPath, int CpuIndex, string Target);
