using Vmm.Core.Events;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// A ring that the back end's <see cref="IRingProcessor"/> runs: what it signals becomes interrupts and faults of the transport.
/// </summary>
/// <remarks>
/// The processor can't raise the interrupt itself: the driver reads InterruptStatus, which is the transport's. So its signal wakes the pair's
/// I/O thread. It has decided already that the driver wants to know; nothing is asked again here. Used under the queue pair's lock, but for
/// the two handlers, which take it.
/// </remarks>
internal sealed class ProcessedRing : IDisposable
{
    private const string BrokenReason = "vhost found it broken: an index too far ahead, a loop, or a buffer that is not RAM";

    private readonly IRingProcessor _processor;
    private readonly RingDirection _direction;
    private readonly QueueMetrics _metrics;
    private readonly Lock _lock;

    private readonly EventFd _call = new();
    private readonly EventFd _error = new();
    private readonly EventRegistration _callWatch;
    private readonly EventRegistration _errorWatch;
    private OpenQueue? _open;

    /// <param name="processor">Runs the ring.</param>
    /// <param name="direction">Which one.</param>
    /// <param name="doorbell">The driver's.</param>
    /// <param name="loop">Whose thread turns signals into interrupts.</param>
    /// <param name="metrics">Where interrupts are counted; frames go by unseen.</param>
    /// <param name="pairLock">The queue pair's lock.</param>
    public ProcessedRing(IRingProcessor processor, RingDirection direction, EventFd doorbell, EventLoop loop, QueueMetrics metrics, Lock pairLock)
    {
        _processor = processor;
        _direction = direction;
        _metrics = metrics;
        _lock = pairLock;
        processor.Attach(direction, new RingSignals(doorbell, _call, _error));
        _callWatch = loop.Add(_call, ReadyEvents.In | ReadyEvents.EdgeTriggered, new ReadyHandler(OnCall));
        _errorWatch = loop.Add(_error, ReadyEvents.In | ReadyEvents.EdgeTriggered, new ReadyHandler(OnError));
    }

    /// <summary>Whether the processor has the ring.</summary>
    public bool Runs => _open is not null;

    /// <exception cref="IOException">The host refused; the ring is as it was.</exception>
    public void Start(OpenQueue queue, ulong features)
    {
        Stop();
        _processor.Start(_direction, in queue.Ring.State, features);
        _open = queue;

        // ORDER: after the start, which does not look at what has rung before.
        queue.Doorbell.Signal();
    }

    /// <summary>Takes the ring back, with its positions. Returns what was open, null when nothing was.</summary>
    public OpenQueue? Stop()
    {
        if (_open is not { } open)
        {
            return null;
        }

        _open = null;
        open.Ring.TakeBack(_processor.Stop(_direction));

        // ORDER: the ring stands still, so this is all that was signalled. Whoever saves the machine now has to find the interrupts in it. Those
        // that the I/O thread has seen are still counted in the eventfd: one too many does no harm.
        if (_call.TryDrain())
        {
            open.Transport.InterruptQueue(open.Index);
        }

        if (_error.TryDrain())
        {
            Fail(open);
        }

        return open;
    }

    public void Dispose()
    {
        _callWatch.Dispose();
        _errorWatch.Dispose();
        _call.Dispose();
        _error.Dispose();
    }

    private void OnCall(ReadyEvents events)
    {
        lock (_lock)
        {
            // Edge-triggered: nothing is read. Once the ring has stopped it was looked at there.
            if (_open is { } open)
            {
                _metrics.CountInterrupt();
                open.Transport.InterruptQueue(open.Index);
            }
        }
    }

    private void OnError(ReadyEvents events)
    {
        lock (_lock)
        {
            Stop();
        }
    }

    private static void Fail(OpenQueue open)
    {
        open.Ring.MarkBroken(BrokenReason);
        open.Fail(BrokenReason);
    }
}
