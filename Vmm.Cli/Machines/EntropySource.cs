using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioRng;
using Vmm.Core.State;
using Vmm.Core.Virtio;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary><c>--rng on</c>: random numbers for the guest.</summary>
internal sealed class EntropySource(RngDeviceOptions options, int index, VirtioMmioTransport transport, VirtioRngDevice device) : MachineDevice(options, index, transport)
{
    /// <summary>As a manifest has it.</summary>
    public const string Kind = "virtio-rng";

    public override string? BackendDescription => null;

    public override ITransferableBackend? Transferable => null;

    public override IStateSection? CreateStateSection() => null;

    public override DeviceManifest Describe(bool moves) => new()
    {
        Id = Id,
        Kind = Kind,
        Slot = Index,
        BackendTransfer = false,
        Backend = "getrandom",
        Options = options.Format(),
        Descriptors = 0,
        OfferedFeatures = device.OfferedFeatures,
        DriverFeatures = Transport.Features,
    };

    public override IEnumerable<string> DescribeCounters()
        => [$"{Id}: {device.Metrics.Requests} requests, {device.Metrics.Bytes} bytes, {device.Metrics.Malformed} malformed, {device.Metrics.Interrupts} interrupts, {Transport.Metrics.Faults} faults"];

    public override void Dispose() => device.Dispose();
}
