namespace Vmm.Cli.Bench;

/// <summary>Places on a picture for numbers over several orders of magnitude.</summary>
/// <param name="least">Shown at <paramref name="from"/>; above 0.</param>
/// <param name="most">Shown at <paramref name="to"/>; above <paramref name="least"/>.</param>
/// <param name="from">In the picture's units.</param>
/// <param name="to">Likewise; may be the lesser one.</param>
internal sealed class LogarithmicAxis(double least, double most, double from, double to)
{
    /// <summary>An axis with room for all of these numbers.</summary>
    public static LogarithmicAxis For(IEnumerable<double> values, double from, double to)
    {
        double[] above = [.. values.Where(value => value > 0).DefaultIfEmpty(1)];
        return new LogarithmicAxis(above.Min() / 1.2, above.Max() * 1.2, from, to);
    }

    /// <summary>1, 2 and 5 times powers of ten.</summary>
    public IEnumerable<double> Ticks
    {
        get
        {
            for (double power = Math.Pow(10, Math.Floor(Math.Log10(least))); power <= most; power *= 10)
            {
                foreach (double tick in (double[])[power, 2 * power, 5 * power])
                {
                    if (tick >= least && tick <= most)
                    {
                        yield return tick;
                    }
                }
            }
        }
    }

    /// <summary>Where a number is.</summary>
    public double this[double value] => from + ((to - from) * Math.Log(Math.Max(value, least) / least) / Math.Log(most / least));
}
