using Vmm.Migration.Channels;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>One migration, as the command asks for it. Nothing of it is remembered afterwards.</summary>
internal sealed record MigrateRequest
{
    /// <summary>Where the machine goes.</summary>
    public required MigrationUri Uri { get; init; }

    /// <summary>The devices whose back ends move.</summary>
    public BackendTransfer Transfer { get; init; } = BackendTransfer.None;

    public MigrationTimeouts Timeouts { get; init; } = new();

    public CancellationToken Cancellation { get; init; }
}
