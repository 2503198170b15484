using Microsoft.Extensions.Logging;

namespace Vmm.Core.Virtio;

// The status machine: negotiation, activation, queue enable and resets. Called with the register lock held.
public sealed partial class VirtioMmioTransport
{
    private void WriteDriverFeatures(uint value)
    {
        // SPEC: 3.1.1: features are final once FEATURES_OK is set.
        if ((_state.Status & VirtioStatus.FeaturesOk) != 0 || _state.DriverFeaturesSelector > 1)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        _state.DriverFeatures = _state.DriverFeaturesSelector == 0
            ? _state.DriverFeatures & 0xffff_ffff_0000_0000 | value
            : _state.DriverFeatures & 0xffff_ffff | (ulong)value << 32;
    }

    private void WriteStatus(VirtioStatus value, uint raw)
    {
        if (raw == 0)
        {
            ResetDevice();
            return;
        }

        VirtioStatus old = _state.Status;

        // SPEC: 2.1.1: the driver only adds bits; clearing one means nothing. NEEDS_RESET is the device's alone.
        VirtioStatus added = value & ~old & ~VirtioStatus.NeedsReset;
        if ((added & VirtioStatus.FeaturesOk) != 0 && RefuseFeatures())
        {
            added &= ~VirtioStatus.FeaturesOk;
        }

        if ((added & VirtioStatus.DriverOk) != 0 && ((old | added) & VirtioStatus.FeaturesOk) == 0)
        {
            // SPEC: 3.1.1: without an agreement on features there is no running device.
            _log.LogWarning("{Device}: the driver set DRIVER_OK without FEATURES_OK; the device does not start.", _id);
            Interlocked.Increment(ref _badAccesses);
            added &= ~VirtioStatus.DriverOk;
        }

        lock (_interruptLock)
        {
            _state.Status |= added;
        }

        if ((added & VirtioStatus.DriverOk) != 0)
        {
            foreach (Virtqueue queue in _queues)
            {
                queue.UseFeatures(_state.DriverFeatures);
            }

            _device.Activate(this);
        }
    }

    private bool RefuseFeatures()
    {
        ulong features = _state.DriverFeatures;
        if (FeatureConflict(features) is not { } reason)
        {
            return false;
        }

        _log.LogInformation("{Device}: the driver's features 0x{Features:x} are refused: {Reason}.", _id, features, reason);
        return true;
    }

    private string? FeatureConflict(ulong features)
        => (features & ~_offeredFeatures) != 0
            ? $"bits 0x{features & ~_offeredFeatures:x} were not offered"
            : (features & VirtioFeatures.Version1) == 0
                ? "VIRTIO_F_VERSION_1 is missing: legacy drivers are not served"
                : _device.RejectFeatures(features);

    private void WriteQueueReady(uint value)
    {
        if (SelectedQueue is not { } queue)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        int index = (int)_state.QueueSelector;
        bool isRunning = (_state.Status & VirtioStatus.DriverOk) != 0;
        if (value == 0)
        {
            CloseQueue(index, isRunning);
            return;
        }

        if (value != 1 || queue.State.Ready)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        if (queue.Open(_state.DriverFeatures) is { } reason)
        {
            Fail(index, reason);
            return;
        }

        if (isRunning)
        {
            _device.EnableQueue(index);
        }
    }

    private void WriteQueueReset(uint value)
    {
        if (value != 1 || SelectedQueue is null || (_state.DriverFeatures & VirtioFeatures.RingReset) == 0)
        {
            Interlocked.Increment(ref _badAccesses);
            return;
        }

        CloseQueue((int)_state.QueueSelector, (_state.Status & VirtioStatus.DriverOk) != 0);
    }

    private void CloseQueue(int index, bool isRunning)
    {
        if (isRunning)
        {
            _device.ResetQueue(index);
        }

        _queues[index].Reset();
    }

    private void ResetDevice()
    {
        Interlocked.Increment(ref _resets);

        // ORDER: the device first: afterwards no I/O thread uses the queues or raises an interrupt for them.
        _device.Reset();
        foreach (Virtqueue queue in _queues)
        {
            queue.Reset();
        }

        Acknowledge(uint.MaxValue);
        lock (_interruptLock)
        {
            uint generation = _state.ConfigGeneration;
            _state = new VirtioMmioState { ConfigGeneration = generation };
        }
    }
}
