using Microsoft.Extensions.Logging;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;

namespace Vmm.Core.Tests.Virtio;

public sealed class RateLimitedLoggerTests
{
    private readonly CountingLogger _lines = new();
    private readonly Clock _clock = new();
    private readonly RateLimitedLogger _log;

    public RateLimitedLoggerTests() => _log = new RateLimitedLogger(_lines, _clock);

    [Fact]
    public void Log_AFewAtOnce_AllPassUnchanged()
    {
        Write(RateLimitedLogger.Burst);
        _lines.Lines.Should().Equal(Enumerable.Range(0, RateLimitedLogger.Burst).Select(i => $"message {i}"));
    }

    [Fact]
    public void Log_Storm_OneASecondPassesAndCountsTheRest()
    {
        Write(100_000);
        _lines.Lines.Should().HaveCount(RateLimitedLogger.Burst);
        _clock.Now += TimeSpan.FromSeconds(0.9);
        Write(1);
        _lines.Lines.Should().HaveCount(RateLimitedLogger.Burst);
        _clock.Now += TimeSpan.FromSeconds(0.1);
        Write(2);
        _lines.Lines.Should().HaveCount(RateLimitedLogger.Burst + 1);
        _lines.Lines[^1].Should().Be($"message 0 ({100_000 - RateLimitedLogger.Burst + 1} more not shown)");
        _clock.Now += TimeSpan.FromHours(1);
        Write(1000);
        _lines.Lines.Should().HaveCount(2 * RateLimitedLogger.Burst + 1, "silence earns no more than the burst");
    }

    private void Write(int count)
    {
        for (int i = 0; i < count; i++)
        {
            _log.LogWarning("message {Number}", i);
        }
    }

    private sealed class Clock : TimeProvider
    {
        public TimeSpan Now { get; set; }

        public override long TimestampFrequency => TimeSpan.TicksPerSecond;

        public override long GetTimestamp() => Now.Ticks;
    }
}
