using Microsoft.Extensions.Logging;
using Vmm.Core.Linux;

namespace Vmm.Cli;

/// <summary>
/// One line on stderr per message, written at once and whole. The logging package's console factory would cost milliseconds and a thread
/// at start-up, which is why it is not used.
/// </summary>
internal sealed class StandardErrorLogger(LogLevel minimum) : ILogger
{
    private readonly Lock _lock = new();

    public bool IsEnabled(LogLevel logLevel) => logLevel >= minimum;

    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
    {
        if (!IsEnabled(logLevel))
        {
            return;
        }

        string text = formatter(state, exception);
        string detail = exception is null ? "" : minimum <= LogLevel.Debug ? Environment.NewLine + exception : $" ({exception.Message})";
        lock (_lock)
        {
            StandardError.WriteLine($"vmm: {Prefix(logLevel)}{text}{detail}");
        }
    }

    private static string Prefix(LogLevel level) => level switch
    {
        LogLevel.Trace or LogLevel.Debug => "debug: ",
        LogLevel.Information => "",
        LogLevel.Warning => "warning: ",
        _ => "error: ",
    };
}
