using Vmm.Core.Virtio;

namespace Vmm.Core.Devices.VirtioBlock;

// Activation, resets, pause: called by the transport with its register lock held.
public sealed partial class VirtioBlockDevice
{
    /// <summary>Queues that the driver knows of.</summary>
    private int UsedQueues => IsNegotiated(VirtioBlockFeatures.MultiQueue) ? _queues.Length : 1;

    public void Activate(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;

            // SPEC: 5.2.5.2: a driver that can set the cache but not flush it begins without one.
            _state.WriteBack &= IsNegotiated(VirtioBlockFeatures.Flush);
            UpdateRules();
            if (!_isPaused)
            {
                StartQueues();
            }
        }
    }

    public void Restore(IVirtioTransport transport)
    {
        lock (_lock)
        {
            _transport = transport;
            UpdateRules();
        }
    }

    public void EnableQueue(int queue)
    {
        lock (_lock)
        {
            if (_transport is not null && !_isPaused && queue < UsedQueues)
            {
                StartQueue(queue);
            }
        }
    }

    public void ResetQueue(int queue) => _queues[queue].Stop();

    public void Reset()
    {
        lock (_lock)
        {
            StopQueues();
            foreach (BlockQueue queue in _queues)
            {
                queue.Unwatch();
            }

            _transport = null;
            _state.WriteBack = true;
        }
    }

    public void Pause()
    {
        lock (_lock)
        {
            _isPaused = true;
            StopQueues();
        }
    }

    public void Resume()
    {
        lock (_lock)
        {
            _isPaused = false;
            if (_transport is not null)
            {
                StartQueues();
            }
        }
    }

    private void StartQueues()
    {
        for (int i = 0; i < UsedQueues; i++)
        {
            StartQueue(i);
        }
    }

    private void StartQueue(int index)
    {
        if (OpenQueue.TryOpen(_transport!, index, _queues[index].Doorbell) is { } queue)
        {
            _queues[index].Start(queue);
        }
    }

    private void StopQueues()
    {
        // All are told first, so that they stop side by side.
        foreach (BlockQueue queue in _queues)
        {
            queue.BeginStop();
        }

        foreach (BlockQueue queue in _queues)
        {
            queue.Stop();
        }
    }

    private bool IsNegotiated(ulong feature) => _transport is { } transport && (transport.Features & feature) == feature;
}
