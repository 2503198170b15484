using Microsoft.Extensions.Logging;

namespace Vmm.Core.Virtio;

/// <summary>
/// What a device that a guest drives logs through: a few messages at once, then one a second, so that a hostile guest can't fill the host's
/// disk. Every message passes here, whoever is to blame; what was left out is counted with the next one that is shown.
/// </summary>
/// <param name="log">Takes what passes.</param>
/// <param name="time">The clock; null for the system's.</param>
public sealed class RateLimitedLogger(ILogger log, TimeProvider? time = null) : ILogger
{
    /// <summary>Messages that may come at once.</summary>
    public const int Burst = 5;

    private static readonly TimeSpan _interval = TimeSpan.FromSeconds(1);

    private readonly TimeProvider _time = time ?? TimeProvider.System;
    private readonly Lock _lock = new();
    private int _left = Burst;
    private long _refilled = (time ?? TimeProvider.System).GetTimestamp();
    private long _suppressed;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => log.BeginScope(state);

    public bool IsEnabled(LogLevel logLevel) => log.IsEnabled(logLevel);

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        // What is not shown anyway takes nobody's place.
        if (!log.IsEnabled(logLevel) || !TryTake(out long suppressed))
        {
            return;
        }

        log.Log(logLevel, eventId, state, exception, suppressed == 0 ? formatter : (s, e) => $"{formatter(s, e)} ({suppressed} more not shown)");
    }

    private bool TryTake(out long suppressed)
    {
        lock (_lock)
        {
            int earned = (int)Math.Min(Burst, _time.GetElapsedTime(_refilled).Ticks / _interval.Ticks);
            if (earned > 0)
            {
                _left = Math.Min(Burst, _left + earned);
                _refilled = _time.GetTimestamp();
            }

            suppressed = _suppressed;
            if (_left == 0)
            {
                _suppressed++;
                return false;
            }

            _left--;
            _suppressed = 0;
            return true;
        }
    }
}
