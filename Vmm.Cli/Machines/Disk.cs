using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>One <c>--disk</c>: the device that the guest sees, its registers, and the image that its bytes are in.</summary>
internal sealed class Disk(DiskDeviceOptions options, int index, VirtioMmioTransport transport, VirtioBlockDevice device, DiskImage image)
    : MachineDevice(options, index, transport)
{
    public DiskImage Image => image;

    public override string BackendDescription => image.Description;

    public override ITransferableBackend Transferable => image;

    public override IStateSection CreateStateSection() => device.CreateStateSection();

    public override DeviceManifest Describe(bool moves) => new()
    {
        Id = Id,
        Kind = DiskArrival.Kind,
        Slot = Index,
        BackendTransfer = moves,
        Backend = image.Description.Split(' ')[0],
        Options = options.Format(),
        Descriptors = moves ? 1 : 0,
        OfferedFeatures = device.OfferedFeatures,
        DriverFeatures = Transport.Features,
    };

    public override IEnumerable<string> DescribeCounters()
    {
        VirtioMmioMetrics transport = Transport.Metrics;
        yield return $"{Id} ({BackendDescription}): {transport.QueueInterrupts} interrupts, {transport.Resets} resets, {transport.Faults} faults";
        for (int i = 0; i < device.Metrics.Count; i++)
        {
            BlockQueueMetrics queue = device.Metrics[i];
            yield return $"{Id} queue {i}: {queue.Reads} reads, {queue.BytesRead} bytes, {queue.Writes} writes, {queue.BytesWritten} bytes, {queue.Flushes} flushes, "
                + $"{queue.Discards} discards, {queue.Errors} errors, {queue.Malformed} malformed, {queue.Interrupts} interrupts";
        }
    }

    public override void Acquire(bool runs, Action<string> complain) => image.Acquire(runs, complain);

    public override void Settle()
    {
        if (image.Flush() is int result and not 0)
        {
            throw new Core.Linux.LinuxException("fdatasync", image.Description, -result, "What the guest has written is not safe on it, so the guest stays here.");
        }
    }

    public override void Yield() => image.Yield();

    public override bool IsGivenUp => image.IsGivenUp;

    public override string? Reclaim() => image.TryLock() ? null : $"{image.Description} is in use by another process";

    public override void Dispose()
    {
        device.Dispose();
        image.Dispose();
    }
}
