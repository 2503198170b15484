namespace Vmm.Migration.Live;

/// <summary>When the destination was done with each part of the switch-over: nanoseconds of CLOCK_MONOTONIC, which both processes share.</summary>
/// <param name="Received">The state is there.</param>
/// <param name="Loaded">It has been read and found to be good.</param>
/// <param name="Applied">It is set.</param>
/// <param name="Running">The guest runs.</param>
public sealed record SwitchoverTimes(long Received, long Loaded, long Applied, long Running)
{
    public static SwitchoverTimes Unknown { get; } = new(0, 0, 0, 0);
}
