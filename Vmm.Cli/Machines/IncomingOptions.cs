using Vmm.Core.Consoles;
using Vmm.Core.Devices;

namespace Vmm.Cli.Machines;

/// <summary>What the user of a destination wants to be otherwise than at the source.</summary>
internal sealed record IncomingOptions
{
    /// <summary>The machine's name, control plane and console come along; otherwise they are this process's own.</summary>
    public bool Whole => Console is null;

    public string? Name { get; init; }

    /// <summary>As of <see cref="MachineOptions.Qmp"/>.</summary>
    public string? Qmp { get; init; }

    /// <summary>Null for the one that comes along.</summary>
    public ConsoleOptions? Console { get; init; }

    /// <summary>Take all RAM from the host before the guest goes on, where it does not come along.</summary>
    public bool Populate { get; init; }

    /// <summary>Back ends to be opened here, by their devices' ids; each has one.</summary>
    public IReadOnlyList<DeviceOptions> Replacements { get; init; } = [];
}
