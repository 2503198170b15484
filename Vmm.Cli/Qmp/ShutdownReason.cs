using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Machine;

namespace Vmm.Cli.Qmp;

/// <summary>A machine's end in QEMU's words.</summary>
internal static class ShutdownReason
{
    /// <summary>What the end says that <c>quit</c> has caused.</summary>
    public const string Quit = "host-qmp-quit";

    /// <summary>What the end says that <c>system_reset</c> has caused.</summary>
    public const string SystemReset = "host-qmp-system-reset";

    /// <param name="end">How the machine ended.</param>
    /// <param name="signal">The signal that stopped it, or 0.</param>
    public static ShutdownCause From(GuestEnd end, int signal) => end.Cause switch
    {
        GuestEndCause.PowerOff or GuestEndCause.DebugExit => new ShutdownCause(true, "guest-shutdown"),
        GuestEndCause.Reset when end.Report == SystemReset => new ShutdownCause(false, SystemReset),
        GuestEndCause.Reset or GuestEndCause.TripleFault => new ShutdownCause(true, "guest-reset"),
        GuestEndCause.Crash or GuestEndCause.Panic => new ShutdownCause(true, "guest-panic"),
        GuestEndCause.Stopped => new ShutdownCause(false, end.Report == Quit ? Quit : signal != 0 ? "host-signal" : "host-ui"),
        _ => new ShutdownCause(false, "host-error"),
    };
}
