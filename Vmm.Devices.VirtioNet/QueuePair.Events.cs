using Microsoft.Extensions.Logging;
using Vmm.Core.Events;

namespace Vmm.Devices.VirtioNet;

// What wakes the I/O thread, and what it watches.
internal sealed partial class QueuePair
{
    private const int MaxRounds = 8;

    private EventFd? _receiveDoorbell;
    private EventFd? _transmitDoorbell;
    private EventRegistration? _receiveWatch;
    private EventRegistration? _transmitWatch;
    private bool _watchesDoorbells;

    /// <summary>The driver rings from now on. Those of rings that the back end runs are its own to watch.</summary>
    public void WatchDoorbells()
    {
        lock (_lock)
        {
            _watchesDoorbells = true;
            if (!UsesProcessor)
            {
                WatchOwnDoorbells();
            }
        }
    }

    /// <summary>There is no driver any more.</summary>
    public void UnwatchDoorbells()
    {
        lock (_lock)
        {
            _watchesDoorbells = false;
            Unwatch(ref _receiveWatch);
            Unwatch(ref _transmitWatch);
        }
    }

    public void OnReceiveDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_isRunning)
            {
                ReceiveMetrics.CountDoorbell();
                Receive.RunBatch(_rules);
                Run();
            }
        }
    }

    public void OnTransmitDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_isRunning)
            {
                TransmitMetrics.CountDoorbell();
                Transmit.RunBatch(_rules);
                Run();
            }
        }
    }

    /// <summary>
    /// Receive and transmit batches in turn, until there is nothing to send; only then the driver is asked to ring. A driver that
    /// answers what it receives is so not made to ring (which leaves the guest) while frames come in. The lock is held.
    /// </summary>
    private void Run()
    {
        FrameRules rules = _rules;
        for (int round = 0; round < MaxRounds; round++)
        {
            bool hasMore = Receive.WantsFrames && !Receive.HasFailed && Receive.RunBatch(rules);
            if (!Transmit.RunBatch(rules) && !hasMore && Transmit.TryRest())
            {
                UpdateWatch();
                return;
            }
        }

        // What else the I/O thread has to do comes in between.
        Transmit.RingAgain();
        UpdateWatch();
    }

    private void OnBackendReady(ReadyEvents events)
    {
        lock (_lock)
        {
            if (!_isRunning)
            {
                return;
            }

            bool isGone = (events & (ReadyEvents.Error | ReadyEvents.HangUp)) != 0;
            if (isGone || (events & ReadyEvents.Out) != 0)
            {
                Transmit.CanWait = !isGone;
                Transmit.Unblock();
            }

            Run();
            if (isGone && (Receive.HasFailed || (events & ReadyEvents.In) == 0))
            {
                // SPEC: epoll(7) reports these without being asked, for ever.
                LoseBackend();
            }
        }
    }

    private void UpdateWatch()
    {
        if (_watch is null)
        {
            return;
        }

        if (Receive.HasFailed)
        {
            LoseBackend();
            return;
        }

        ReadyEvents wanted = (Receive.WantsFrames ? ReadyEvents.In : ReadyEvents.None)
            | (Transmit.IsBlocked ? ReadyEvents.Out : ReadyEvents.None);
        if (wanted != _watched)
        {
            _watched = wanted;
            _watch.Change(wanted);
        }
    }

    private void LoseBackend()
    {
        if (_watch is null)
        {
            return;
        }

        _log.LogWarning("{Device}: the back end is gone; nothing is received from it any more.", _name);
        Transmit.CanWait = false;
        Transmit.Unblock();
        Transmit.RingAgain();
        Unwatch();
    }

    /// <summary>What runs here is watched here, and only that: every ring would wake this thread for nothing otherwise.</summary>
    private void WatchOwnDoorbells()
    {
        Update(ref _receiveWatch, _receiveDoorbell, _processedReceive, OnReceiveDoorbell);
        Update(ref _transmitWatch, _transmitDoorbell, _processedTransmit, OnTransmitDoorbell);

        void Update(ref EventRegistration? watch, EventFd? doorbell, ProcessedRing? processed, Action<ReadyEvents> onReady)
        {
            if (processed is { Runs: true })
            {
                Unwatch(ref watch);
            }
            else if (_watchesDoorbells && watch is null && doorbell is not null)
            {
                watch = _loop.Add(doorbell, ReadyEvents.In | ReadyEvents.EdgeTriggered, new ReadyHandler(onReady));
            }
        }
    }

    private void WatchBackend()
    {
        if (_watch is null && _backend.Readiness is { } readiness)
        {
            _watched = ReadyEvents.None;
            _watch = _loop.Add(readiness, _watched, _backendHandler);
        }

        Transmit.CanWait = _watch is not null;
    }

    private static void Unwatch(ref EventRegistration? watch)
    {
        watch?.Dispose();
        watch = null;
    }

    private void Unwatch()
    {
        _watch?.Dispose();
        _watch = null;
    }
}
