using Vmm.Core.Machine;
using Vmm.Core.Network;
using Vmm.Core.Virtio;
using Vmm.Devices.VirtioNet;

namespace Vmm.Cli.Machines;

/// <summary>One <c>--net</c>: the device that the guest sees, its registers, and where its frames go.</summary>
/// <param name="Id">The name in messages: <c>net0</c>.</param>
/// <param name="Slot">Where the registers are.</param>
internal sealed record NetworkCard(string Id, VirtioMmioSlot Slot, VirtioMmioTransport Transport, VirtioNetDevice Device, INetworkBackend Backend);
