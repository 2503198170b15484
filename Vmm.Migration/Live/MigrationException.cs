namespace Vmm.Migration.Live;

/// <summary>A migration that did not come about; the guest is where it was.</summary>
public sealed class MigrationException(MigrationStep step, string reason, Exception? inner = null)
    : IOException($"{step.ToString().ToLowerInvariant()}: {reason}", inner)
{
    /// <summary>How far it came.</summary>
    public MigrationStep Step { get; } = step;

    /// <summary>Why it ended there: a clause.</summary>
    public string Reason { get; } = reason;
}
