using System.Diagnostics;
using Microsoft.Extensions.Logging;
using Vmm.Core.Virtio;

namespace Vmm.Testing.Virtio;

/// <summary>Keeps the lines that a device logs, from any thread, and knows how many the rate limit allows.</summary>
public sealed class CountingLogger : ILogger
{
    private readonly List<string> _lines = [];
    private readonly long _start = Stopwatch.GetTimestamp();

    public IReadOnlyList<string> Lines
    {
        get
        {
            lock (_lines)
            {
                return [.. _lines];
            }
        }
    }

    /// <summary>What one limiter may have let through since this was made.</summary>
    public int Allowed => RateLimitedLogger.Burst + (int)Stopwatch.GetElapsedTime(_start).TotalSeconds + 1;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public bool IsEnabled(LogLevel logLevel) => true;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        lock (_lines)
        {
            _lines.Add(formatter(state, exception));
        }
    }
}
