using Microsoft.Extensions.Logging;
using Vmm.Core.Events;

namespace Vmm.Devices.VirtioNet;

// What wakes the I/O thread, and what it watches.
internal sealed partial class QueuePair
{
    public void OnReceiveDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_isRunning)
            {
                ReceiveMetrics.CountDoorbell();
                RunReceive();
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
                RunTransmit();
            }
        }
    }

    /// <summary>One receive batch. The lock is held.</summary>
    private void RunReceive()
    {
        Receive.RunBatch(Volatile.Read(ref _rules));
        UpdateWatch();
    }

    /// <summary>One transmit batch. The lock is held.</summary>
    private void RunTransmit()
    {
        Transmit.RunBatch(Volatile.Read(ref _rules));
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
                RunTransmit();
            }

            RunReceive();
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
        Unwatch();
    }

    private void Unwatch()
    {
        _watch?.Dispose();
        _watch = null;
    }
}
