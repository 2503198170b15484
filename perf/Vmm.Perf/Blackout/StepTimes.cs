using System.Diagnostics;

namespace Vmm.Perf.Blackout;

/// <summary>Samples by step, in microseconds, in the order in which the steps first came.</summary>
internal sealed class StepTimes
{
    private readonly List<string> _names = [];
    private readonly Dictionary<string, List<double>> _samples = [];
    private long _last;

    public IReadOnlyList<string> Names => _names;

    public IReadOnlyList<double> this[string name] => _samples.TryGetValue(name, out List<double>? samples) ? samples : [];

    /// <summary>The next <see cref="Mark"/> counts from here.</summary>
    public void Begin() => _last = Stopwatch.GetTimestamp();

    /// <summary>What has passed since the last mark belongs to <paramref name="name"/>.</summary>
    public void Mark(string name)
    {
        long now = Stopwatch.GetTimestamp();
        Add(name, Stopwatch.GetElapsedTime(_last, now).TotalMicroseconds);
        _last = Stopwatch.GetTimestamp();
    }

    public void Add(string name, double microseconds)
    {
        if (!_samples.TryGetValue(name, out List<double>? samples))
        {
            _names.Add(name);
            _samples[name] = samples = new List<double>(1024);
        }

        samples.Add(microseconds);
    }
}
