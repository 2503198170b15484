using Microsoft.Extensions.Logging;

namespace Vmm.Core.Virtio;

/// <summary>Says what a driver did wrong, at most once a second for one device: a hostile guest must not fill the host's disk.</summary>
internal sealed class FaultLog(ILogger log, string id)
{
    private const long IntervalMilliseconds = 1000;

    private readonly Lock _lock = new();
    private long _next;
    private long _suppressed;

    public void Write(int queue, string reason)
    {
        long suppressed;
        lock (_lock)
        {
            long now = Environment.TickCount64;
            if (now < _next)
            {
                _suppressed++;
                return;
            }

            _next = now + IntervalMilliseconds;
            suppressed = _suppressed;
            _suppressed = 0;
        }

        log.LogWarning("{Device} queue {Queue}: the guest's driver broke the ring: {Reason}. It has to reset the device. ({Suppressed} more not shown)", id, queue, reason, suppressed);
    }
}
