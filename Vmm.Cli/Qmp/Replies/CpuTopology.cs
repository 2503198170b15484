namespace Vmm.Cli.Qmp.Replies;

/// <summary>Where a vCPU sits.</summary>
internal sealed record CpuTopology(int CoreId, int ThreadId, int SocketId);
