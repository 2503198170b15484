namespace Vmm.Perf.Migration;

/// <summary>The guest's clock at a moment of the host's.</summary>
/// <param name="Host">Microseconds since 1970.</param>
/// <param name="Ticks">Of the guest's time-stamp counter, since it started.</param>
internal readonly record struct ClockReading(double Host, double Ticks)
{
    /// <param name="ticks">By the guest's clock.</param>
    /// <param name="rate">Ticks in a microsecond.</param>
    /// <returns>Microseconds since 1970.</returns>
    public double ToHost(double ticks, double rate) => Host + ((ticks - Ticks) / rate);
}
