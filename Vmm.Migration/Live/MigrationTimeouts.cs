namespace Vmm.Migration.Live;

/// <summary>How long each step may take before the migration is given up; the guest then goes on where it was.</summary>
public sealed record MigrationTimeouts
{
    /// <summary>The longest that any of them can be.</summary>
    public static readonly TimeSpan Most = TimeSpan.FromSeconds(2000);

    /// <summary>For the destination to come up and to look at the manifest.</summary>
    public TimeSpan Verdict { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>For the destination to build the machine, and to wait for what the source sends next.</summary>
    public TimeSpan Prepare { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>For the destination's short messages to go out, and for the source to wait for news of a guest that the destination has.</summary>
    public TimeSpan State { get; init; } = TimeSpan.FromSeconds(10);

    /// <summary>In a stream with RAM: until the next byte goes through, or the destination, which has all, answers.</summary>
    public TimeSpan Stall { get; init; } = TimeSpan.FromSeconds(30);

    /// <summary>From the state's sending until the guest runs in the destination: the longest pause that a failure can cause.</summary>
    public TimeSpan Switchover { get; init; } = TimeSpan.FromMilliseconds(500);

    /// <summary>Null, or the first one that is out of range, for people.</summary>
    public string? FindWrong()
        => ((string Name, TimeSpan Value)[])[("verdict", Verdict), ("prepare", Prepare), ("state", State), ("stall", Stall), ("switchover", Switchover)] is var all
            && Array.Find(all, t => t.Value <= TimeSpan.Zero || t.Value > Most) is { Name: { } name } wrong
            ? $"the time-out {name}, {wrong.Value}, is not more than 0 and at most {Most}"
            : null;
}
