using Vmm.Core.Network;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>One live update, as the command asks for it. Nothing of it is remembered afterwards.</summary>
internal sealed record LiveUpdateRequest
{
    /// <summary>The program to go on with.</summary>
    public required string Binary { get; init; }

    /// <summary>The devices whose back ends move.</summary>
    public BackendTransfer Transfer { get; init; } = BackendTransfer.All;

    /// <summary>Back ends to be opened by the new process, by their ids.</summary>
    public IReadOnlyList<NetworkDeviceOptions> Replacements { get; init; } = [];

    /// <summary>The machine ends up in this process again, which runs the new binary then.</summary>
    public bool KeepsProcess { get; init; }

    /// <summary>Only ask for the verdict.</summary>
    public bool DryRun { get; init; }

    public MigrationTimeouts Timeouts { get; init; } = new();

    public CancellationToken Cancellation { get; init; }
}
