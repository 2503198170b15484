namespace Vmm.Cli.Bench;

/// <summary>Which time of the guest's clock is which of the host's, from questions to the guest: its time lies between question and answer.</summary>
internal sealed class GuestClock
{
    /// <summary>Of the exchanges around a moment so many are looked at for the one that was answered fastest.</summary>
    private const int Neighbours = 8;

    private readonly List<(double Asked, double Answered, double Ticks)> _exchanges = [];
    private double? _rate;

    /// <param name="asked">Microseconds of CLOCK_MONOTONIC.</param>
    /// <param name="answered">Likewise.</param>
    /// <param name="ticks">What the guest said.</param>
    public void Add(double asked, double answered, ulong ticks)
    {
        _exchanges.Add((asked, answered, ticks));
        _rate = null;
    }

    public double TicksPerMicrosecond => _rate ??= MeasureRate();

    /// <summary>The most that an answer was off the rate, beyond what the exchange itself leaves open; microseconds.</summary>
    public double Deviation => _exchanges.Count < 3 ? 0 : _exchanges.Max(exchange =>
    {
        double host = ToHost(Fastest(_exchanges), exchange.Ticks);
        return Math.Max(0, Math.Max(exchange.Asked - host, host - exchange.Answered));
    });

    /// <summary>The length of the gap in which the guest was away then.</summary>
    /// <param name="from">Microseconds of CLOCK_MONOTONIC.</param>
    /// <param name="to">Likewise.</param>
    /// <param name="gaps">The end of each by the guest's clock, and its length, in ticks.</param>
    /// <returns>Microseconds; null when the guest has no such gap on its list.</returns>
    public double? FindGap(double from, double to, IReadOnlyList<(ulong End, ulong Length)> gaps)
    {
        int at = _exchanges.FindIndex(exchange => exchange.Asked >= from);
        int first = Math.Max(0, at - (Neighbours / 2));
        (double, double, double) reference = Fastest(_exchanges.GetRange(first, Math.Min(Neighbours, _exchanges.Count - first)));
        double most = 0;
        double? found = null;
        foreach ((ulong end, ulong length) in gaps)
        {
            double host = ToHost(reference, end);
            double overlap = Math.Min(to, host) - Math.Max(from, host - (length / TicksPerMicrosecond));
            if (overlap > most)
            {
                most = overlap;
                found = length / TicksPerMicrosecond;
            }
        }

        // Half of it at least: the two clocks are known to within half of an exchange.
        return most > (to - from) / 2 ? found : null;
    }

    private double ToHost((double Asked, double Answered, double Ticks) reference, double ticks)
        => ((reference.Asked + reference.Answered) / 2) + ((ticks - reference.Ticks) / TicksPerMicrosecond);

    private double MeasureRate()
    {
        if (_exchanges.Count < 2)
        {
            return 1;
        }

        int third = Math.Max(1, _exchanges.Count / 3);
        (double asked, double answered, double ticks) = Fastest(_exchanges[..third]);
        (double lastAsked, double lastAnswered, double lastTicks) = Fastest(_exchanges[^third..]);
        return (lastTicks - ticks) / (((lastAsked + lastAnswered) - (asked + answered)) / 2);
    }

    private static (double Asked, double Answered, double Ticks) Fastest(List<(double Asked, double Answered, double Ticks)> exchanges)
        => exchanges.MinBy(exchange => exchange.Answered - exchange.Asked);
}
