using Microsoft.Extensions.Logging;

namespace Vmm.Core.Virtio;

// Interrupts and faults: what I/O threads call.
public sealed partial class VirtioMmioTransport
{
    public void InterruptQueue(int queue)
    {
        Interlocked.Increment(ref _queueInterrupts);
        if (!Raise(UsedBufferInterrupt))
        {
            Interlocked.Increment(ref _coalesced);
        }
    }

    public void InterruptConfig()
    {
        lock (_interruptLock)
        {
            _state.ConfigGeneration++;
            if ((_state.Status & VirtioStatus.DriverOk) != 0)
            {
                Raise(ConfigInterrupt);
            }
        }
    }

    public void Fail(int queue, string reason)
    {
        Interlocked.Increment(ref _faults);
        _log.LogWarning("{Device} queue {Queue}: the guest's driver broke the ring: {Reason}. It has to reset the device.", _id, queue, reason);
        lock (_interruptLock)
        {
            // SPEC: 2.1.2: after DRIVER_OK the device also sends a configuration change notification.
            _state.Status |= VirtioStatus.NeedsReset;
            if ((_state.Status & VirtioStatus.DriverOk) != 0)
            {
                Raise(ConfigInterrupt);
            }
        }
    }

    /// <summary>Sets a cause; false when the line was raised already.</summary>
    private bool Raise(uint cause)
    {
        lock (_interruptLock)
        {
            bool wasRaised = _state.InterruptStatus != 0;
            _state.InterruptStatus |= cause;
            if (!wasRaised)
            {
                _line.SetLevel(true);
            }

            return !wasRaised;
        }
    }

    private void Acknowledge(uint causes)
    {
        // ORDER: the level follows the status under one lock: a cause that is set between the two could otherwise be left without a raised line.
        lock (_interruptLock)
        {
            bool wasRaised = _state.InterruptStatus != 0;
            _state.InterruptStatus &= ~causes;
            if (!wasRaised)
            {
                return;
            }

            _line.SetLevel(false);
            if (_state.InterruptStatus != 0)
            {
                // A cause came after the handler had read the status: a pin that is programmed for edges needs a new one.
                _line.SetLevel(true);
            }
        }
    }
}
