using Vmm.Backends.Tap;
using Vmm.Core.Devices;
using Vmm.Core.Network;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>One <c>--net</c>: the device that the guest sees, its registers, and where its frames go.</summary>
internal sealed class NetworkCard(NetworkDeviceOptions options, int index, VirtioMmioTransport transport, VirtioNetDevice device, INetworkBackend backend)
    : MachineDevice(options, index, transport)
{
    public VirtioNetDevice Device => device;

    public INetworkBackend Backend => backend;

    public override string BackendDescription => backend.Description;

    public override ITransferableBackend? Transferable => backend as ITransferableBackend;

    public override IStateSection CreateStateSection() => device.CreateStateSection();

    public override DeviceManifest Describe(bool moves) => new()
    {
        Id = Id,
        Kind = NetworkArrival.Kind,
        Slot = Index,
        BackendTransfer = moves,
        Backend = backend.Description.Split(' ')[0],
        Options = (options with { Mac = device.Mac, Mtu = device.Mtu }).Format(),
        InterfaceName = (backend as TapBackend)?.InterfaceName,
        Descriptors = moves ? backend.QueueCount : 0,
        QueuePairs = options.Queues,
        Mac = device.Mac.ToString(),
        Mtu = device.Mtu ?? 0,
        OfferedFeatures = device.OfferedFeatures,
        DriverFeatures = Transport.Features,
        Offloads = (uint)backend.SupportedOffloads,
    };

    public override IEnumerable<string> DescribeCounters()
    {
        VirtioMmioMetrics transport = Transport.Metrics;
        yield return $"{Id} ({BackendDescription}): {transport.QueueInterrupts} interrupts, {transport.Resets} resets, {transport.Faults} faults";
        VirtioNetMetrics metrics = device.Metrics;
        for (int pair = 0; pair < metrics.Receive.Count; pair++)
        {
            yield return $"{Id} pair {pair}: receive {Describe(metrics.Receive[pair])}; transmit {Describe(metrics.Transmit[pair])}";
        }

        QueueMetrics control = metrics.Control;
        yield return $"{Id} control: {control.Frames} commands, {control.Errors} refused, {control.Interrupts} interrupts";
    }

    public override void Dispose()
    {
        device.Dispose();
        backend.Dispose();
    }

    private static string Describe(QueueMetrics queue)
        => $"{queue.Frames} frames, {queue.Bytes} bytes, {queue.TotalDropped} dropped{DescribeDrops(queue)}, {queue.Waits} waits, {queue.Interrupts} interrupts";

    /// <summary>The reasons that there were: <c> (2 filtered, 1 runt)</c>.</summary>
    private static string DescribeDrops(QueueMetrics queue)
    {
        string[] reasons = [.. Enum.GetValues<DropReason>().Where(reason => queue.Dropped(reason) > 0).Select(reason => $"{queue.Dropped(reason)} {Name(reason)}")];
        return reasons.Length == 0 ? "" : $" ({string.Join(", ", reasons)})";
    }

    private static string Name(DropReason reason) => reason switch
    {
        DropReason.TooLong => "too long",
        DropReason.Runt => "too short",
        DropReason.Filtered => "filtered",
        DropReason.Offload => "of an offload that is off",
        DropReason.LinkDown => "while the link was down",
        DropReason.Malformed => "malformed",
        DropReason.Backend => "refused by the back end",
        _ => reason.ToString(),
    };
}
