using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>
/// A request queue and the thread that carries its requests out, one after the other, between guest memory and the image without a copy.
/// </summary>
/// <remarks>
/// Protocol: the thread works under the lock. Whoever stops the queue says so first, and takes the lock then: the thread breaks its request off
/// between two system calls, puts it back into the ring, and whoever starts the queue again, here or elsewhere, does it once more from the
/// beginning. All requests bear that. While it waits for the storage to flush, which takes as long as it takes, the thread does not hold the lock:
/// nobody has to wait for it, and what it finds then is that the request is not its own any more.
/// </remarks>
internal sealed partial class BlockQueue : IDisposable
{
    /// <summary>Requests in one go.</summary>
    private const int BatchSize = 64;

    private readonly string _name;
    private readonly DiskImage _image;
    private readonly byte[] _serial;
    private readonly ILogger _log;
    private readonly EventLoop _loop;

    private readonly Lock _lock = new();
    private readonly ReadyHandler _handler;
    private readonly ScatterList _readable = new(BlockLimits.QueueSize);
    private readonly ScatterList _writable = new(BlockLimits.QueueSize);
    private readonly ScatterList _status = new(1);
    private readonly ScatterList _bounceRange = new(1);
    private readonly ScatterList _zeroRanges = new(16); // not the bounce buffer's, through which these may have to go
    private readonly HostBuffer _zeros = new(64 << 10, 4096);
    private readonly HostBuffer? _bounce;
    private volatile bool _stops;
    private volatile BlockRules _rules = new(0, 0, WritesThrough: true);
    private OpenQueue? _open;
    private bool _isAway; // the thread waits for the storage, with a request and without the lock
    private int _stopCount;
    private EventRegistration? _watch;

    public BlockQueue(VirtioBlockConfig config, int index, DiskImage image, ILogger log)
    {
        _name = config.Queues == 1 ? config.Id : $"{config.Id} queue {index}";
        _image = image;
        _serial = System.Text.Encoding.ASCII.GetBytes(config.Serial);
        _log = log;
        _handler = new ReadyHandler(OnDoorbell);
        _bounce = image.Alignment > 1 ? new HostBuffer(BounceSize, 4096) : null;
        _loop = new EventLoop($"{config.Id}-io{index}");
    }

    public EventFd Doorbell { get; } = new();

    public BlockQueueMetrics Metrics { get; } = new();

    /// <summary>What requests go by from the next one on.</summary>
    public BlockRules Rules
    {
        set => _rules = value;
    }

    public void Start(OpenQueue queue)
    {
        lock (_lock)
        {
            _watch ??= _loop.Add(Doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, _handler);
            _stops = false;
            _open = queue;

            // What rang before is looked at.
            Doorbell.Signal();
        }
    }

    /// <summary>The thread is to come to an end with what it does; <see cref="Stop"/> follows.</summary>
    public void BeginStop() => _stops = true;

    /// <summary>When this returns, nobody touches the ring. A request that was not finished is in it again.</summary>
    public void Stop()
    {
        _stops = true;
        lock (_lock)
        {
            if (_isAway)
            {
                _isAway = false;
                _open!.Ring.Return(1);
            }

            _open = null;
            _stopCount++;
        }
    }

    /// <summary>Of a queue that is stopped.</summary>
    public void Unwatch()
    {
        lock (_lock)
        {
            _watch?.Dispose();
            _watch = null;
        }
    }

    public void Dispose()
    {
        // ORDER: the thread ends before what it uses.
        _loop.Dispose();
        foreach (ScatterList list in (ScatterList[])[_readable, _writable, _status, _bounceRange, _zeroRanges])
        {
            list.Dispose();
        }

        _zeros.Dispose();
        _bounce?.Dispose();
        Doorbell.Dispose();
    }

    /// <summary>One batch.</summary>
    internal void OnDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_open is { } open)
            {
                Metrics.CountDoorbell();
                RunBatch(open);
            }
        }
    }

    private void RunBatch(OpenQueue open)
    {
        open.Ring.DisableDoorbell();
        for (int i = 0; i < BatchSize && !_stops && _open == open; i++)
        {
            switch (RunOne(open))
            {
                case PopResult.Taken:
                    break;
                case PopResult.Empty when !open.Ring.EnableDoorbell():
                    return;
                case PopResult.Empty:
                    break; // one came meanwhile
                default:
                    // Unless it was stopped while the thread was away, and has faults of its own by now.
                    if (_open == open)
                    {
                        _open = null;
                        open.Fail(open.Ring.Fault ?? "a request has too many buffers");
                    }

                    return;
            }
        }

        // What else wants the lock comes in between.
        Doorbell.Signal();
    }

    private PopResult RunOne(OpenQueue open)
    {
        _readable.Clear();
        _writable.Clear();
        PopResult result = open.Ring.TryPop(_readable, _writable, out DescriptorChain chain);
        if (result != PopResult.Taken)
        {
            return result;
        }

        int stopCount = _stopCount;
        uint written = 0;
        if (_writable.TotalBytes == 0)
        {
            Metrics.CountMalformed(); // and nowhere to say so
        }
        else
        {
            _status.Clear();
            _writable.MoveLastByte(_status);
            BlockStatus status = Run(out long data);
            if (status == BlockStatus.BrokenOff)
            {
                // Whoever stopped the queue while the thread was away has put it back.
                open.Ring.Return(stopCount == _stopCount ? 1 : 0);
                return PopResult.Taken;
            }

            _status.CopyFrom(0, [(byte)status]);
            written = (uint)data + 1;
        }

        open.Ring.Push(chain.Head, written);
        if (open.Publish())
        {
            Metrics.CountInterrupt();
        }

        return PopResult.Taken;
    }
}
