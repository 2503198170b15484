using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Core.Devices.VirtioRng;

/// <summary>
/// An entropy device (virtio 1.2 section 5.4): one queue, whose buffers come back with random bytes of the host.
/// </summary>
/// <remarks>
/// Protocol: the lock is taken by the loop's thread for one batch, and by the transport, with its register lock held, to open and close the
/// queue; when closing has returned nobody touches the ring. The loop is not the device's own: a batch is short, and what else the loop carries
/// comes before the next one. All that lasts is in the ring, so no state migrates but the transport's.
/// </remarks>
public sealed class VirtioRngDevice : IVirtioDevice
{
    /// <summary>Bytes for one buffer, whatever its length: a driver asks for what it needs, and asks again.</summary>
    public const int MaxChunk = 4096;

    /// <summary>Buffers in one go.</summary>
    internal const int BatchSize = 16;

    private const ushort QueueSize = 64;

    private readonly EventLoop _loop;
    private readonly EventFd _doorbell = new();
    private readonly ReadyHandler _handler;
    private readonly ScatterList _readable = new(QueueSize);
    private readonly ScatterList _writable = new(QueueSize);

    private readonly Lock _lock = new();
    private EventRegistration? _watch;
    private IVirtioTransport? _transport;
    private OpenQueue? _open;
    private bool _isPaused;
    private bool _isDisposed;

    /// <param name="loop">Carries the queue; outlives the device.</param>
    public VirtioRngDevice(EventLoop loop)
    {
        _loop = loop;
        _handler = new ReadyHandler(OnDoorbell);
    }

    public uint DeviceId => 4;

    public ulong OfferedFeatures => 0;

    public IReadOnlyList<ushort> MaxQueueSizes { get; } = [QueueSize];

    public VirtioRngMetrics Metrics { get; } = new();

    public EventFd GetDoorbell(int queue) => _doorbell;

    public string? RejectFeatures(ulong features) => null;

    public void ReadConfig(uint offset, Span<byte> data)
    {
    }

    public void WriteConfig(uint offset, ReadOnlySpan<byte> data)
    {
    }

    public void Activate(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;
            if (!_isPaused)
            {
                Open();
            }
        }
    }

    public void Restore(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;
        }
    }

    public void EnableQueue(int queue)
    {
        lock (_lock)
        {
            if (_transport is not null && !_isPaused)
            {
                Open();
            }
        }
    }

    public void ResetQueue(int queue)
    {
        lock (_lock)
        {
            _open = null;
        }
    }

    public void Reset()
    {
        lock (_lock)
        {
            _open = null;
            _transport = null;
            _watch?.Dispose();
            _watch = null;
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            _isPaused = true;
            _open = null;
        }
    }

    public void Resume()
    {
        lock (_lock)
        {
            _isPaused = false;
            if (_transport is not null)
            {
                Open();
            }
        }
    }

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Reset();

        // The loop goes on: a handler that it has begun finds no queue. Taking the lock once more waits for one that found it.
        lock (_lock)
        {
            _readable.Dispose();
            _writable.Dispose();
        }

        _doorbell.Dispose();
    }

    /// <summary>The lock is held.</summary>
    private void Open()
    {
        _watch ??= _loop.Add(_doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, _handler);
        _open = OpenQueue.TryOpen(_transport!, 0, _doorbell);

        // What rang before is looked at.
        _doorbell.Signal();
    }

    /// <summary>One batch.</summary>
    internal void OnDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_open is { } open)
            {
                Serve(open);
            }
        }
    }

    private void Serve(OpenQueue open)
    {
        open.Ring.DisableDoorbell();
        int pushed = 0;
        PopResult result = PopResult.Taken;
        while (pushed < BatchSize && result == PopResult.Taken)
        {
            _readable.Clear();
            _writable.Clear();
            result = open.Ring.TryPop(_readable, _writable, out DescriptorChain chain);
            if (result == PopResult.Taken)
            {
                open.Ring.Push(chain.Head, (uint)Fill());
                pushed++;
            }
        }

        if (pushed > 0 && open.Publish())
        {
            Metrics.CountInterrupt();
        }

        if (result is PopResult.Faulty or PopResult.ListFull)
        {
            _open = null;
            open.Fail(open.Ring.Fault ?? "a chain has too many buffers");
        }
        else if (result == PopResult.Taken || open.Ring.EnableDoorbell())
        {
            // What else the loop carries comes in between.
            open.Doorbell.Signal();
        }
    }

    /// <summary>How many bytes the present chain has been given.</summary>
    private int Fill()
    {
        int done = 0;
        for (int i = 0; i < _writable.Count && done < MaxChunk; i++)
        {
            Span<byte> range = _writable.GetStart(i, MaxChunk - done);
            int given = HostRandom.Fill(range);
            done += given;
            if (given < range.Length)
            {
                break;
            }
        }

        if (_writable.Count == 0)
        {
            Metrics.CountMalformed();
        }
        else
        {
            Metrics.CountRequest(done);
        }

        return done;
    }
}
