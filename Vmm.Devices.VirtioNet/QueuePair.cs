using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Network;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

/// <summary>
/// A receive and a transmit queue, the back end's queue between them, and the lock under which an I/O thread works on them.
/// </summary>
/// <remarks>
/// Protocol: a handler takes the lock, looks whether the pair runs, and moves batches in both directions until neither has any. Opening
/// and closing take the same lock, so when closing has returned nobody touches the rings. The lock is the innermost but for the transport's interrupt lock.
/// </remarks>
internal sealed partial class QueuePair : IDisposable
{
    private readonly string _name;
    private readonly INetworkQueue _backend;
    private readonly EventLoop _loop;
    private readonly ILogger _log;

    private readonly Lock _lock = new();
    private readonly ReadyHandler _backendHandler;
    private FrameRules _rules;
    private EventRegistration? _watch;
    private ReadyEvents _watched;
    private bool _isRunning;

    public QueuePair(string name, INetworkQueue backend, EventLoop loop, FrameRules rules, ILogger log)
    {
        _name = name;
        _backend = backend;
        _loop = loop;
        _rules = rules;
        _log = log;
        _backendHandler = new ReadyHandler(OnBackendReady);
        Receive = new ReceiveQueue(backend, ReceiveMetrics);
        Transmit = new TransmitQueue(backend, TransmitMetrics);
    }

    public ReceiveQueue Receive { get; }

    public TransmitQueue Transmit { get; }

    public QueueMetrics ReceiveMetrics { get; } = new();

    public QueueMetrics TransmitMetrics { get; } = new();

    public EventLoop Loop => _loop;

    /// <summary>What frames go by from now on: none goes by the old rules once this is set.</summary>
    public FrameRules Rules
    {
        set
        {
            lock (_lock)
            {
                _rules = value;
            }
        }
    }

    /// <summary>Begins to carry traffic on those queues that are given. Null: the driver has not set that queue up.</summary>
    public void Start(OpenQueue? receive, OpenQueue? transmit)
    {
        lock (_lock)
        {
            _isRunning = true;
            if (!UsesProcessor)
            {
                WatchBackend();
            }

            OpenLocked(receive, transmit);
        }
    }

    /// <summary>Adds queues to a running pair; a pair that does not run ignores them.</summary>
    public void Open(OpenQueue? receive, OpenQueue? transmit)
    {
        lock (_lock)
        {
            if (_isRunning)
            {
                OpenLocked(receive, transmit);
            }
        }
    }

    public void CloseReceive()
    {
        lock (_lock)
        {
            _processedReceive?.Stop();
            Receive.Close();
            UpdateWatch();
        }
    }

    public void CloseTransmit()
    {
        lock (_lock)
        {
            _processedTransmit?.Stop();
            Transmit.Close();
            UpdateWatch();
        }
    }

    /// <summary>Stops both queues where they are. A frame that waits for buffers stays.</summary>
    public void Stop()
    {
        lock (_lock)
        {
            _isRunning = false;
            StopProcessor();
            Receive.Close();
            Transmit.Close();
            Unwatch();
        }
    }

    /// <summary>
    /// Sends what the driver has made available up to now, as far as the back end takes it at once; then stops. A frame that waits for
    /// buffers goes, like those in the back end's queue.
    /// </summary>
    public void Drain()
    {
        lock (_lock)
        {
            if (_processedTransmit?.Stop() is { Ring.IsUsable: true } rest)
            {
                Transmit.Open(rest);
                Transmit.CanWait = true;
            }

            for (int i = 0; i < Virtqueue.MaxSupportedSize / TransmitQueue.BatchSize && Transmit.RunBatch(_rules); i++)
            {
            }

            Stop();
            Receive.DiscardPending();
        }
    }

    public void DiscardPending()
    {
        lock (_lock)
        {
            Receive.DiscardPending();
        }
    }

    public void Dispose()
    {
        Unwatch();
        UnwatchDoorbells();
        _processedReceive?.Dispose();
        _processedTransmit?.Dispose();
        Receive.Dispose();
        Transmit.Dispose();
    }

    private void OpenLocked(OpenQueue? receive, OpenQueue? transmit)
    {
        if (receive is not null && !TryProcess(_processedReceive, receive))
        {
            Receive.Open(receive);
            receive.Doorbell.Signal();
        }

        if (transmit is not null && !TryProcess(_processedTransmit, transmit))
        {
            Transmit.Open(transmit);
            transmit.Doorbell.Signal();
        }

        if (_processorFailed && _watch is null)
        {
            WatchBackend();
        }

        WatchOwnDoorbells();
        UpdateWatch();
    }
}
