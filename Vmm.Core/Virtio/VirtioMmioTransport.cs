using Microsoft.Extensions.Logging;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Interrupts;
using Vmm.Core.Memory;

namespace Vmm.Core.Virtio;

/// <summary>
/// A virtio device behind memory-mapped registers, version 2 (virtio 1.2 section 4.2).
/// </summary>
/// <remarks>
/// Protocol. Two locks, always taken in this order: <c>_lock</c> serialises register accesses of vCPU threads and the calls into
/// the device that they cause; <c>_interruptLock</c> keeps the interrupt status and the line's level together, and is all that an
/// I/O thread needs. InterruptStatus and ConfigGeneration reads take neither, so that a guest's interrupt handler never waits for a
/// reset on another vCPU.
/// <code>
///   reset -> ACKNOWLEDGE -> DRIVER -> FEATURES_OK -> DRIVER_OK (device runs) -> [NEEDS_RESET] -> reset
/// </code>
/// </remarks>
public sealed partial class VirtioMmioTransport : IBusDevice, IVirtioTransport
{
    /// <summary>Bytes of the register window, as QEMU's microvm has it.</summary>
    public const ulong WindowSize = 0x200;

    private const uint UsedBufferInterrupt = 1;
    private const uint ConfigInterrupt = 2;

    private readonly string _id;
    private readonly IVirtioDevice _device;
    private readonly IInterruptLine _line;
    private readonly ILogger _log;
    private readonly ulong _offeredFeatures;

    private readonly Virtqueue[] _queues;
    private readonly Lock _lock = new();
    private readonly Lock _interruptLock = new();

    private VirtioMmioState _state;

    private long _queueInterrupts;
    private long _coalesced;
    private long _resets;
    private long _faults;
    private long _badAccesses;

    /// <param name="id">The device's name for logs: <c>net0</c>.</param>
    public VirtioMmioTransport(string id, IVirtioDevice device, GuestMemory memory, IInterruptLine line, ILogger log)
    {
        _id = id;
        _device = device;
        _line = line;
        _log = new RateLimitedLogger(log);
        _offeredFeatures = device.OfferedFeatures | VirtioFeatures.Transport;
        _queues = [.. device.MaxQueueSizes.Select(size => new Virtqueue(memory, size))];
    }

    public ulong Features => _state.DriverFeatures;

    /// <summary>What the driver may choose from.</summary>
    public ulong OfferedFeatures => _offeredFeatures;

    public VirtioMmioMetrics Metrics => new(
        Interlocked.Read(ref _queueInterrupts),
        Interlocked.Read(ref _coalesced),
        Interlocked.Read(ref _resets),
        Interlocked.Read(ref _faults),
        Interlocked.Read(ref _badAccesses));

    public Virtqueue GetQueue(int queue) => _queues[queue];

    /// <summary>Lets guest writes to QueueNotify ring the device's doorbells without an exit to user space.</summary>
    /// <param name="window">Where this transport is in guest physical memory.</param>
    public void AttachDoorbells(IVirtualMachine machine, GuestAddress window)
    {
        for (int i = 0; i < _queues.Length; i++)
        {
            machine.AttachDoorbell(window + (ulong)VirtioMmioRegister.QueueNotify, (uint)i, _device.GetDoorbell(i));
        }
    }

    /// <summary>Stops the device where it is. Registers still answer.</summary>
    public void Pause()
    {
        lock (_lock)
        {
            _device.Pause();
        }
    }

    /// <summary>Goes on after <see cref="Pause"/>.</summary>
    public void Resume()
    {
        lock (_lock)
        {
            _device.Resume();
        }
    }
}
