using System.Diagnostics;

namespace Vmm.Cli.Demo;

/// <summary>What became of a series of echo requests.</summary>
/// <param name="Sent">Requests that were sent.</param>
/// <param name="Answered">Requests whose answer came back, once or more often, undamaged.</param>
/// <param name="Corrupted">Answers whose payload was not what had been sent.</param>
/// <param name="Duplicated">Answers to requests that had been answered already.</param>
/// <param name="Reordered">Answers that came after the answer to a later request.</param>
/// <param name="Elapsed">From the first request to the last answer.</param>
/// <param name="RoundTrips">Of the answered requests, in <see cref="Stopwatch"/> ticks, in the order of the requests.</param>
internal sealed record EchoReport(int Sent, int Answered, int Corrupted, int Duplicated, int Reordered, TimeSpan Elapsed, IReadOnlyList<long> RoundTrips)
{
    public int Lost => Sent - Answered;

    public bool IsClean => Lost == 0 && Corrupted == 0 && Duplicated == 0 && Reordered == 0;

    /// <summary>Two series, of two flows or one after the other, as one.</summary>
    public static EchoReport operator +(EchoReport a, EchoReport b) => new(
        a.Sent + b.Sent, a.Answered + b.Answered, a.Corrupted + b.Corrupted, a.Duplicated + b.Duplicated, a.Reordered + b.Reordered, a.Elapsed + b.Elapsed, []);

    public double PerSecond => Elapsed == TimeSpan.Zero ? 0 : Answered / Elapsed.TotalSeconds;

    /// <summary>Round trip below which <paramref name="share"/> (0 to 1) of the answers came; 0.5 is the median.</summary>
    public TimeSpan RoundTrip(double share)
    {
        long[] sorted = [.. RoundTrips.Order()];
        return sorted.Length == 0 ? TimeSpan.Zero : Stopwatch.GetElapsedTime(0, sorted[(int)((sorted.Length - 1) * share)]);
    }
}
