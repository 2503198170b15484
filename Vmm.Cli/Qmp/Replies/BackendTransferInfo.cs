namespace Vmm.Cli.Qmp.Replies;

/// <summary>query-backend-transfer: whether a device's back end can go to another process as it is.</summary>
/// <param name="Id">The device's.</param>
/// <param name="Backend">For people.</param>
/// <param name="Possible">Now.</param>
/// <param name="Reason">Why not.</param>
internal sealed record BackendTransferInfo(string Id, string Backend, bool Possible, string? Reason);
