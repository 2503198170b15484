using Vmm.Core.Consoles;
using Vmm.Core.Devices;
using Vmm.Core.Machine;

namespace Vmm.Cli.Machines;

/// <summary>A machine as the command line describes it.</summary>
internal sealed record MachineOptions
{
    /// <summary>The kernel that is built in, as <c>--kernel</c> names it.</summary>
    public const string DemoKernel = "demo";

    /// <summary>Null for any that is free.</summary>
    public string? Name { get; init; }

    /// <summary>Where the QMP socket is; "none" for none, null for NAME.qmp in the runtime directory.</summary>
    public string? Qmp { get; init; }

    /// <summary>A path, or <see cref="DemoKernel"/>.</summary>
    public required string Kernel { get; init; }

    public string? Initrd { get; init; }

    public string CommandLine { get; init; } = "";

    public int CpuCount { get; init; } = 1;

    /// <summary>Bytes.</summary>
    public required ulong Memory { get; init; }

    public bool HugePages { get; init; }

    /// <summary>Take all RAM from the host before the guest starts.</summary>
    public bool Populate { get; init; }

    /// <summary>By their slots: at most <see cref="MachineLayout.MaxVirtioDevices"/>, each with an id of its own.</summary>
    public IReadOnlyList<DeviceOptions> Devices { get; init; } = [];

    /// <summary>Where they are.</summary>
    public IReadOnlyList<VirtioMmioSlot> Slots => [.. Enumerable.Range(0, Devices.Count).Select(MachineLayout.GetVirtioMmioSlot)];

    public required ConsoleOptions Console { get; init; }

    /// <summary>Append <c>virtio_mmio.device=</c> entries to the command line.</summary>
    public bool AnnounceDevices { get; init; } = true;

    /// <summary>A device's name: the one that it was given, or <c>net0</c> and so on.</summary>
    /// <param name="device">The device.</param>
    /// <param name="kind">What such devices are called.</param>
    /// <param name="index">Its place among them on the command line, from 0.</param>
    public static string GetId(DeviceOptions device, string kind, int index) => device.Id ?? $"{kind}{index}";

    /// <summary>Devices of one kind, each with its name.</summary>
    public static IEnumerable<T> WithIds<T>(IEnumerable<T> devices, string kind) where T : DeviceOptions
        => devices.Select((device, i) => (T)(device with { Id = GetId(device, kind, i) }));
}
