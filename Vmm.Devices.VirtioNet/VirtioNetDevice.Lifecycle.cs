using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

// Activation, resets, pause: called by the transport with its register lock held.
public sealed partial class VirtioNetDevice
{
    public void Activate(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;
            _layout = new QueueLayout(_config.QueuePairs, (transport.Features & VirtioNetFeatures.MultiQueue) != 0);
            _state.GuestOffloads = transport.Features & VirtioNetFeatures.GuestOffloads;
            TrySetOffloads(_state.GuestOffloads);
            TrySetActiveQueues(_state.ActivePairs);
            PublishRules();
            WatchDoorbells();
            if (!_isPaused)
            {
                StartPairs();
            }
        }
    }

    public void Restore(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;
            _layout = new QueueLayout(_config.QueuePairs, (transport.Features & VirtioNetFeatures.MultiQueue) != 0);
            TrySetOffloads(_state.GuestOffloads);
            TrySetActiveQueues(_state.ActivePairs);
            PublishRules();
        }
    }

    public void EnableQueue(int queue)
    {
        lock (_lock)
        {
            if (_transport is null || _isPaused || queue >= _layout.QueueCount)
            {
                return;
            }

            if (queue == _layout.ControlIndex)
            {
                OpenControl();
            }
            else if (queue / 2 < _state.ActivePairs)
            {
                bool isReceive = queue % 2 == 0;
                _pairs[queue / 2].Open(isReceive ? TryOpen(queue) : null, isReceive ? null : TryOpen(queue));
            }
        }
    }

    public void ResetQueue(int queue)
    {
        lock (_lock)
        {
            if (queue == _layout.ControlIndex)
            {
                _control = null;
            }
            else if (queue / 2 >= _layout.PairCount)
            {
                return;
            }
            else if (queue % 2 == 0)
            {
                _pairs[queue / 2].CloseReceive();
            }
            else
            {
                _pairs[queue / 2].CloseTransmit();
            }
        }
    }

    public void Reset()
    {
        lock (_lock)
        {
            StopPairs();
            _controlWatch?.Dispose();
            _controlWatch = null;
            foreach (QueuePair pair in _pairs)
            {
                pair.UnwatchDoorbells();
                pair.DiscardPending();
            }

            _transport = null;
            _state = VirtioNetState.Initial(_config.Mac, _state.LinkUp);
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            _isPaused = true;
            StopPairs();
        }
    }

    public void Resume()
    {
        lock (_lock)
        {
            _isPaused = false;
            if (_transport is not null)
            {
                if (_controlWatch is null)
                {
                    // Restored. Only now: the guest waits for the state, but not for this.
                    WatchDoorbells();
                }

                StartPairs();
            }
        }
    }

    private void StartPairs()
    {
        for (int i = 0; i < _state.ActivePairs; i++)
        {
            StartPair(i);
        }

        OpenControl();
    }

    /// <summary>Whether the back end runs the rings depends on the link: each goes to whom it belongs now.</summary>
    private void RestartPairs()
    {
        for (int i = 0; i < _state.ActivePairs && _transport is not null && !_isPaused && _pairs[i].HasProcessor; i++)
        {
            _pairs[i].Stop();
            StartPair(i);
        }
    }

    private void StopPairs()
    {
        _control = null;
        foreach (QueuePair pair in _pairs)
        {
            pair.Stop();
        }
    }

    private void StartPair(int pair)
        => _pairs[pair].Start(TryOpen(QueueLayout.ReceiveIndex(pair)), TryOpen(QueueLayout.TransmitIndex(pair)));

    private OpenQueue? TryOpen(int queue) => OpenQueue.TryOpen(_transport!, queue, _doorbells[queue]);

    private void WatchDoorbells()
    {
        for (int i = 0; i < _layout.PairCount; i++)
        {
            _pairs[i].WatchDoorbells();
        }

        _controlWatch = _pairs[0].Loop.Add(
            _doorbells[_layout.ControlIndex], ReadyEvents.In | ReadyEvents.EdgeTriggered, new ReadyHandler(OnControlDoorbell));
    }

    private bool TrySetOffloads(ulong guestOffloads)
    {
        try
        {
            _backend.SetOffloads(VirtioNetFeatures.ToOffloads(guestOffloads));
            return true;
        }
        catch (IOException e)
        {
            _log.LogError("{Device}: {Backend} does not take the offloads: {Message}", _config.Id, _backend.Description, e.Message);
            return false;
        }
    }

    private bool TrySetActiveQueues(int count)
    {
        try
        {
            _backend.SetActiveQueues(count);
            return true;
        }
        catch (IOException e)
        {
            string backend = _backend.Description;
            _log.LogError("{Device}: {Backend} does not switch to {Count} queues: {Message}", _config.Id, backend, count, e.Message);
            return false;
        }
    }
}
