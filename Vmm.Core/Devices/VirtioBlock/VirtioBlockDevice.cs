using Microsoft.Extensions.Logging;
using Vmm.Core.Events;
using Vmm.Core.Virtio;

namespace Vmm.Core.Devices.VirtioBlock;

/// <summary>
/// A virtio disk (virtio 1.2 section 5.2).
/// </summary>
/// <remarks>
/// Protocol. Locks, always taken in this order: the transport's register lock (vCPU threads come in with it), the device's own (its state), a
/// queue's (its ring), the transport's interrupt lock. A queue's thread begins at the queue's. Each queue does one request after the other, so that
/// a slow one keeps no other queue waiting; <see cref="Pause"/> waits for at most one system call of each.
/// The image is not disposed: it belongs to whoever opened it, and has to outlive the device.
/// </remarks>
public sealed partial class VirtioBlockDevice : IVirtioDevice
{
    private readonly VirtioBlockConfig _config;
    private readonly DiskImage _image;

    private readonly Lock _lock = new();
    private readonly BlockQueue[] _queues;
    private IVirtioTransport? _transport;
    private bool _isPaused;
    private bool _isDisposed;

    private VirtioBlockState _state;

    /// <exception cref="ArgumentException">The configuration makes no sense.</exception>
    public VirtioBlockDevice(VirtioBlockConfig config, DiskImage image, ILogger log)
    {
        if (config.Queues is < 1 or > DiskDeviceOptions.MaxQueues)
        {
            throw new ArgumentException($"{config.Id}: {config.Queues} queues are not 1 to {DiskDeviceOptions.MaxQueues}.", nameof(config));
        }

        _config = config;
        _image = image;
        OfferedFeatures = VirtioBlockFeatures.Offered(image, config.Queues);
        MaxQueueSizes = [.. Enumerable.Repeat(BlockLimits.QueueSize, config.Queues)];
        _state = InitialState();
        ILogger limited = new RateLimitedLogger(log);
        _queues = [.. Enumerable.Range(0, config.Queues).Select(i => new BlockQueue(config, i, image, limited))];
        Metrics = [.. _queues.Select(queue => queue.Metrics)];
    }

    public uint DeviceId => 2;

    public ulong OfferedFeatures { get; }

    public IReadOnlyList<ushort> MaxQueueSizes { get; }

    /// <summary>Counters by queue, readable at any time from any thread.</summary>
    public IReadOnlyList<BlockQueueMetrics> Metrics { get; }

    public EventFd GetDoorbell(int queue) => _queues[queue].Doorbell;

    public string? RejectFeatures(ulong features) => null;

    /// <summary>A queue, for tests that run its batches themselves.</summary>
    internal BlockQueue GetQueue(int index) => _queues[index];

    public void Dispose()
    {
        if (_isDisposed)
        {
            return;
        }

        _isDisposed = true;
        Reset();
        foreach (BlockQueue queue in _queues)
        {
            queue.Dispose();
        }
    }

    private VirtioBlockState InitialState() => new()
    {
        Capacity = (ulong)_image.Size / DiskImage.SectorSize,
        BlockSize = _image.BlockSize,
        PhysicalBlockSize = _image.PhysicalBlockSize,
        WriteBack = true,
    };
}
