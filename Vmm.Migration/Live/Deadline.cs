namespace Vmm.Migration.Live;

/// <summary>A point in time after which nobody waits any more.</summary>
public readonly struct Deadline(TimeSpan timeout)
{
    private readonly long _end = Environment.TickCount64 + (long)timeout.TotalMilliseconds;

    /// <summary>For messages.</summary>
    public TimeSpan Timeout { get; } = timeout;

    public int MillisecondsLeft => (int)Math.Clamp(_end - Environment.TickCount64, 0, int.MaxValue);
}
