using System.Diagnostics;

namespace Vmm.Core.Linux;

/// <summary>A time so short that waiting for its end is cheaper than sleeping. Over at once where there is only one CPU to wait on.</summary>
public readonly struct Moment(TimeSpan length)
{
    private readonly long _end = Stopwatch.GetTimestamp() + (Environment.ProcessorCount > 1 ? (long)(length.TotalSeconds * Stopwatch.Frequency) : 0);

    /// <summary>Each look leaves the CPU's other thread some room.</summary>
    public bool IsOver
    {
        get
        {
            Thread.SpinWait(8);
            return Stopwatch.GetTimestamp() >= _end;
        }
    }
}
