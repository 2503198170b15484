using System.Globalization;

namespace Vmm.Cli.Bench;

/// <summary>Numbers in ascending order, without those that are not known (NaN).</summary>
internal sealed class Distribution(IEnumerable<double> values)
{
    private readonly double[] _sorted = [.. values.Where(value => !double.IsNaN(value)).Order()];

    public int Count => _sorted.Length;

    public IReadOnlyList<double> Values => _sorted;

    /// <summary>The value that the given share of all do not exceed (nearest rank); 0 of no values.</summary>
    /// <param name="share">0 for the least, 0.5 for the median, 1 for the most.</param>
    public double this[double share] => _sorted.Length == 0 ? 0 : _sorted[Math.Max(0, (int)Math.Ceiling(share * _sorted.Length) - 1)];

    /// <summary>Min, median, p95, p99, max.</summary>
    public IReadOnlyList<double> Summary => [this[0], this[0.5], this[0.95], this[0.99], this[1]];

    /// <summary>Microseconds for people.</summary>
    public static string Format(double microseconds)
        => microseconds.ToString(microseconds < 100 ? "N1" : "N0", CultureInfo.InvariantCulture);
}
