using System.Text.Json;
using Vmm.Cli.Qmp.Replies;

namespace Vmm.Cli.Qmp;

/// <summary>Something that every client is told.</summary>
/// <param name="Name">In capitals.</param>
/// <param name="Data">JSON, or empty.</param>
internal sealed record QmpEvent(string Name, byte[] Data)
{
    public static readonly QmpEvent Stop = new("STOP", []);

    public static readonly QmpEvent Resume = new("RESUME", []);

    public static readonly QmpEvent PowerDown = new("POWERDOWN", []);

    public static readonly QmpEvent GuestPanicked = new("GUEST_PANICKED", JsonSerializer.SerializeToUtf8Bytes(new PanicEvent("poweroff"), QmpJson.Default.PanicEvent));

    /// <param name="cause">By whom and why, QEMU's ShutdownCause.</param>
    public static QmpEvent Shutdown(ShutdownCause cause) => new("SHUTDOWN", JsonSerializer.SerializeToUtf8Bytes(cause, QmpJson.Default.ShutdownCause));

    /// <param name="cause">As of <see cref="Shutdown"/>.</param>
    public static QmpEvent Reset(ShutdownCause cause) => new("RESET", JsonSerializer.SerializeToUtf8Bytes(cause, QmpJson.Default.ShutdownCause));

    /// <param name="status">QEMU's MigrationStatus: setup, active, device, completed, failed, cancelling, cancelled.</param>
    public static QmpEvent Migration(string status)
        => new("MIGRATION", JsonSerializer.SerializeToUtf8Bytes(new MigrationEvent(status), QmpJson.Default.MigrationEvent));
}
