namespace Vmm.Perf.Compare;

/// <summary>Order statistics of few samples.</summary>
internal static class Statistics
{
    public static double Median(IEnumerable<double> samples) => Quantile(samples, 0.5);

    /// <summary>With linear interpolation between neighbours.</summary>
    public static double Quantile(IEnumerable<double> samples, double q)
    {
        double[] sorted = [.. samples.Order()];
        if (sorted.Length == 0)
        {
            return double.NaN;
        }

        double position = q * (sorted.Length - 1);
        int below = (int)position;
        int above = Math.Min(below + 1, sorted.Length - 1);
        return sorted[below] + (sorted[above] - sorted[below]) * (position - below);
    }
}
