namespace Vmm.Migration.Live;

/// <summary>How long each step may take before the migration is given up; the guest then goes on where it was.</summary>
public sealed record MigrationTimeouts
{
    /// <summary>For the destination to look at the manifest.</summary>
    public TimeSpan Verdict { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the destination to build the machine.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For the source to pause the guest and to send its state, and, twice, for the destination to wait for it.</summary>
    public TimeSpan State { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>In a stream with RAM: until the next byte goes through, or the destination, which has all, answers.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the state's sending until the guest runs in the destination: the longest pause that a failure can cause.</summary>
    public TimeSpan Switchover { get; init; } = TimeSpan.FromMilliseconds(500);
}
