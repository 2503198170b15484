using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.State;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>What stands against a disk that another process has.</summary>
internal static class DiskArrival
{
    /// <summary>As a manifest has it.</summary>
    public static string Kind => VirtioBlockDevice.StateKind.Name;

    /// <param name="device">As the source says.</param>
    /// <param name="other">What is to take its image's place, or null.</param>
    /// <param name="options">How it is made here; null when the source's options can't be read.</param>
    public static IEnumerable<string?> Examine(DeviceManifest device, DeviceOptions? other, out DeviceOptions? options)
    {
        options = null;
        if (!DiskDeviceOptions.TryParse(device.Options, out DiskDeviceOptions? own, out string? unreadable))
        {
            return [unreadable];
        }

        if (other is not (null or DiskDeviceOptions))
        {
            return ["it is a disk, whose image is said with --disk"];
        }

        DiskDeviceOptions? replacement = (DiskDeviceOptions?)other;
        options = replacement is null ? own : own with { Path = replacement.Path, Cache = replacement.Cache };
        return replacement is null ? [] :
        [
            replacement.ReadOnly && !own.ReadOnly ? "the guest may write it, and --disk says readonly=on" : null,
            replacement.Serial is { } serial && serial != (own.Serial ?? own.Id) ? $"its serial number is {own.Serial ?? own.Id}, and --disk says serial={serial}" : null,
            replacement.Queues != 1 && replacement.Queues != own.Queues ? $"it has {own.Queues} queues, and --disk says queues={replacement.Queues}" : null,
        ];
    }

    /// <summary>Its open file moves.</summary>
    public static MovingBackend Expect(DeviceManifest device, DiskDeviceOptions options, int index)
    {
        ResourceSection<DiskResources> section = new(DiskImage.GetResourceName(device.Id));
        return new MovingBackend(index, section, () => DiskImage.Adopt(in section.Value, options));
    }
}
