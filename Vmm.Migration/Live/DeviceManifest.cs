namespace Vmm.Migration.Live;

/// <summary>A device that the command line has made, with its back end.</summary>
public sealed record DeviceManifest
{
    public required string Id { get; init; }

    /// <summary>Its kind: <c>virtio-net</c>, <c>virtio-blk</c>, <c>virtio-rng</c>.</summary>
    public required string Kind { get; init; }

    /// <summary>Which virtio-mmio slot it is in.</summary>
    public required int Slot { get; init; }

    /// <summary>Whether the very same back end goes on with it; otherwise the destination opens its own.</summary>
    public required bool BackendTransfer { get; init; }

    /// <summary>The back end's kind: <c>tap</c>.</summary>
    public required string Backend { get; init; }

    /// <summary>How the source was told to make it, as <c>--net</c> and the like have it.</summary>
    public required string Options { get; init; }

    /// <summary>The interface's name, for a TAP.</summary>
    public string? InterfaceName { get; init; }

    /// <summary>Open files of the back end; they come when <see cref="BackendTransfer"/> is true.</summary>
    public required int Descriptors { get; init; }

    /// <summary>Of a network device.</summary>
    public int QueuePairs { get; init; }

    /// <summary>Of a network device.</summary>
    public string? Mac { get; init; }

    /// <summary>Of a network device, in bytes; 0 when the guest is not told.</summary>
    public int Mtu { get; init; }

    /// <summary>What the device offers to the guest.</summary>
    public required ulong OfferedFeatures { get; init; }

    /// <summary>What the guest has agreed to.</summary>
    public required ulong DriverFeatures { get; init; }

    /// <summary>Of a network device: what the back end can be asked to leave undone (TUN_F_*).</summary>
    public ulong Offloads { get; init; }
}
