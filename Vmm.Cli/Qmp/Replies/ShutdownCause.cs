namespace Vmm.Cli.Qmp.Replies;

/// <summary>SHUTDOWN and RESET.</summary>
/// <param name="Guest">The guest did it itself.</param>
/// <param name="Reason">QEMU's word.</param>
internal sealed record ShutdownCause(bool Guest, string Reason);
