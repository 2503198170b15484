using Vmm.Core.Events;
using Vmm.Core.Memory;
using Vmm.Core.Virtio;

namespace Vmm.Devices.VirtioNet;

// The control queue (virtio 1.2 section 5.1.6.5).
public sealed partial class VirtioNetDevice
{
    private const int ControlBatchSize = 16;

    private const byte Ok = 0;
    private const byte Error = 1;

    private readonly ScatterList _controlReadable = new();
    private readonly ScatterList _controlWritable = new();
    private readonly QueueMetrics _controlMetrics = new();
    private OpenQueue? _control;

    private void OpenControl()
    {
        if (IsNegotiated(VirtioNetFeatures.ControlQueue) && TryOpen(_layout.ControlIndex) is { } queue)
        {
            _control = queue;
            queue.Doorbell.Signal();
        }
    }

    private void OnControlDoorbell(ReadyEvents events)
    {
        lock (_lock)
        {
            if (_control is { } control)
            {
                _controlMetrics.CountDoorbell();
                RunControl(control);
            }
        }
    }

    private void RunControl(OpenQueue control)
    {
        int pushed = 0;
        bool goesOn = true;
        string? fault = null;
        for (int i = 0; i < ControlBatchSize && goesOn; i++)
        {
            _controlReadable.Clear();
            _controlWritable.Clear();
            switch (control.Ring.TryPop(_controlReadable, _controlWritable, out DescriptorChain chain))
            {
                case PopResult.Taken when chain.WritableBytes == 0:
                    // Nowhere to say what is wrong: as in QEMU the driver has to start over.
                    fault = $"control chain {chain.Head} has no room for the acknowledgement";
                    goesOn = false;
                    break;
                case PopResult.Taken:
                    byte acknowledgement = Execute() ? Ok : Error;
                    _controlWritable.CopyFrom(0, [acknowledgement]);
                    control.Ring.Push(chain.Head, 1);
                    Count(acknowledgement);
                    pushed++;
                    break;
                case PopResult.Empty:
                    goesOn = control.Ring.EnableDoorbell();
                    break;
                default:
                    fault = control.Ring.Fault ?? "a control chain has too many buffers";
                    goesOn = false;
                    break;
            }
        }

        if (pushed > 0)
        {
            if (control.Publish())
            {
                _controlMetrics.CountInterrupt();
            }
        }

        if (fault is not null)
        {
            _control = null;
            control.Fail(fault);
        }
        else if (goesOn)
        {
            control.Doorbell.Signal();
        }
    }

    private void Count(byte acknowledgement)
    {
        _controlMetrics.CountFrame(_controlReadable.TotalBytes);
        if (acknowledgement != Ok)
        {
            _controlMetrics.CountError();
        }
    }
}
