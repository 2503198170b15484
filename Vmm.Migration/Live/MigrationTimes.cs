namespace Vmm.Migration.Live;

/// <summary>A migration that came about: when each part was done, in nanoseconds of CLOCK_MONOTONIC.</summary>
public sealed record MigrationTimes
{
    /// <summary>The command began.</summary>
    public required long Started { get; init; }

    /// <summary>The destination has accepted.</summary>
    public required long Accepted { get; init; }

    /// <summary>The destination is prepared, and the guest is asked to pause.</summary>
    public required long Prepared { get; init; }

    /// <summary>The guest is paused.</summary>
    public required long Paused { get; init; }

    /// <summary>Its state is read.</summary>
    public required long Saved { get; init; }

    /// <summary>Its state is sent.</summary>
    public required long Sent { get; init; }

    /// <summary>The destination's part.</summary>
    public required SwitchoverTimes Switchover { get; init; }

    /// <summary>Bytes of state.</summary>
    public required int StateBytes { get; init; }

    /// <summary>How long the guest did not run, as the two processes see it.</summary>
    public TimeSpan Downtime => TimeSpan.FromTicks((Switchover.Running - Prepared) / TimeSpan.NanosecondsPerTick);
}
