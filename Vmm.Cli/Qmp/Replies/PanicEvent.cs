namespace Vmm.Cli.Qmp.Replies;

/// <summary>GUEST_PANICKED.</summary>
/// <param name="Action">What becomes of the machine.</param>
internal sealed record PanicEvent(string Action);
