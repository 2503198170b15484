using Vmm.Core.Network;

namespace Vmm.Backends.Tap;

/// <summary>How <see cref="TapBackend.Open(TapOptions)"/> treats the name.</summary>
public enum TapOpenMode
{
    /// <summary>Attaches to the interface; makes it when it is not there, which needs CAP_NET_ADMIN.</summary>
    OpenOrCreate,

    /// <summary>The interface must be there.</summary>
    OpenExisting,

    /// <summary>The interface must not be there. The name may be a template, <c>vmtap%d</c>.</summary>
    CreateNew,
}

/// <summary>A TAP interface to attach to.</summary>
public sealed record TapOptions
{
    /// <summary>1 to 15 characters.</summary>
    public required string Name { get; init; }

    public TapOpenMode Mode { get; init; } = TapOpenMode.OpenOrCreate;

    /// <summary>Queue pairs, 1 to 256. More than 1 needs a TAP that was made with multi_queue.</summary>
    public int Queues { get; init; } = 1;

    /// <summary>
    /// Bytes of frames on their way into the host before a transmit answers "no room now" (TUNSETSNDBUF); null leaves the kernel's
    /// default, which is no limit.
    /// </summary>
    public int? SendBuffer { get; init; }

    /// <summary>For an interface made here: the user who may attach to it (TUNSETOWNER).</summary>
    public uint? Owner { get; init; }

    /// <summary>For an interface made here: its MTU.</summary>
    public int? Mtu { get; init; }

    /// <summary>For an interface made here: the host's own address on it, not the guest's.</summary>
    public MacAddress? HostAddress { get; init; }
}
