using Vmm.Backends.Tap;
using Vmm.Core.Devices;
using Vmm.Core.Network;
using Vmm.Core.State;
using Vmm.Devices.VirtioNet;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>What stands against a network device that another process has.</summary>
internal static class NetworkArrival
{
    /// <summary>As a manifest has it.</summary>
    public static string Kind => VirtioNetDevice.StateKind.Name;

    /// <param name="device">As the source says.</param>
    /// <param name="other">What is to take its back end's place, or null.</param>
    /// <param name="options">How it is made here; null when the source's options can't be read.</param>
    public static IEnumerable<string?> Examine(DeviceManifest device, DeviceOptions? other, out DeviceOptions? options)
    {
        options = null;
        if (!NetworkDeviceOptions.TryParse(device.Options, out NetworkDeviceOptions? own, out string? unreadable))
        {
            return [unreadable];
        }

        if (other is not (null or NetworkDeviceOptions))
        {
            return ["it is a network device, whose back end is said with --net"];
        }

        NetworkDeviceOptions? replacement = (NetworkDeviceOptions?)other;
        if (replacement is not null)
        {
            own = own with
            {
                Kind = replacement.Kind,
                IfName = replacement.IfName,
                Fds = replacement.Fds,
                Path = replacement.Path,
                Peer = replacement.Peer,
                SendBuffer = replacement.SendBuffer,
                Vhost = replacement.Vhost,
                VhostFds = replacement.VhostFds,
            };
        }

        options = own;
        return
        [
            device.QueuePairs != own.Queues ? $"{Pairs(device.QueuePairs)} do not fit its options, {device.Options}" : null,
            device.BackendTransfer && device.Backend != "tap" ? $"a back end of kind {device.Backend} can't be taken over here" : null,
            !device.BackendTransfer && replacement is null && own is { Kind: NetworkBackendKind.Tap, IfName: null }
                ? "its TAP does not move, and it has no name by which it could be opened here: say with --net what takes its place"
                : null,
            .. Conflicts(device, replacement),
        ];
    }

    /// <summary>Its TAP moves.</summary>
    public static MovingBackend Expect(DeviceManifest device, int index)
    {
        ResourceSection<TapResources> section = new(TapBackend.GetResourceName(device.Id));
        return new MovingBackend(index, section, () => TapBackend.Adopt(in section.Value));
    }

    /// <summary>What the guest sees of a device comes from the source; what takes the back end's place may repeat it, and not change it.</summary>
    private static string?[] Conflicts(DeviceManifest device, NetworkDeviceOptions? replacement) => replacement is null ? [] :
    [
        replacement.Mac is { } mac && mac.ToString() != device.Mac ? $"its address is {device.Mac}, and --net says mac={mac}" : null,
        replacement.Mtu is { } mtu && mtu != device.Mtu ? $"its MTU is {device.Mtu}, and --net says mtu={mtu}" : null,
        replacement.Fds.Count > 0 && replacement.Fds.Count != device.QueuePairs ? $"it has {Pairs(device.QueuePairs)}, and --net passes {replacement.Fds.Count} descriptors"
            : replacement.Queues != 1 && replacement.Queues != device.QueuePairs ? $"it has {Pairs(device.QueuePairs)}, and --net says {replacement.Queues}"
            : null,
    ];

    private static string Pairs(int count) => count == 1 ? "1 queue pair" : $"{count} queue pairs";
}
