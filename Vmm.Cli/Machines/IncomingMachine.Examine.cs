using System.Globalization;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Devices;
using Vmm.Core.Devices.VirtioBlock;
using Vmm.Core.Devices.VirtioRng;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Kvm;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

// What stands against taking a machine over. All of it is said at once.
internal sealed partial class IncomingMachine
{
    public Verdict Examine(Manifest manifest, bool carriesDescriptors)
    {
        List<string> reasons = carriesDescriptors ? [] : ["no open files come through this channel, so neither RAM nor a back end can move; use a UNIX socket"];
        return Examine(manifest, reasons);
    }

    public Verdict Examine(Manifest manifest)
        => Examine(manifest, [.. manifest.Devices.Where(device => device.BackendTransfer).Select(device => $"{device.Id}: its back end can't come as bytes")]);

    private Verdict Examine(Manifest manifest, List<string> reasons)
    {
        _manifest = manifest;
        if (manifest.Machine != MachineLayout.MachineType)
        {
            reasons.Add($"the machine is of type {manifest.Machine}, this program makes {MachineLayout.MachineType}");
        }

        ExamineMemory(manifest.Memory, reasons);
        ExamineDevices(manifest, reasons);
        ExamineCpus(manifest.Cpus, reasons);
        if (local.Whole && !ConsoleOptions.TryParse(manifest.Console, out _, out string? wrong))
        {
            reasons.Add(wrong);
        }

        List<int> versions = ExamineSections(manifest.Sections, reasons);
        return new Verdict(ProgramVersion.Text, reasons, reasons.Count == 0 ? versions : null);
    }

    private static void ExamineMemory(MemoryManifest memory, List<string> reasons)
    {
        ulong unit = memory.HugePages ? GuestMemory.HugePageSize : 4096;
        if (memory.Size < MachineLayout.MinimumMemory || memory.Size > MemorySize.Most || memory.Size % unit != 0)
        {
            reasons.Add(string.Create(CultureInfo.InvariantCulture, $"RAM of {memory.Size} bytes is no multiple of {unit} from {MachineLayout.MinimumMemory} to {MemorySize.Most}"));
        }
    }

    private void ExamineDevices(Manifest manifest, List<string> reasons)
    {
        foreach (DeviceOptions replacement in local.Replacements.Where(r => manifest.Devices.All(device => device.Id != r.Id)))
        {
            reasons.Add($"{replacement.Id}: the source has no device of this id");
        }

        for (int i = 0; i < manifest.Devices.Count; i++)
        {
            DeviceManifest device = manifest.Devices[i];
            int before = reasons.Count;
            reasons.AddRange(ExamineDevice(device, i, out DeviceOptions? options).Select(reason => $"{device.Id}: {reason}"));
            if (reasons.Count > before)
            {
                continue;
            }

            _devices.Add(options! with { Id = device.Id });
            if (device.BackendTransfer)
            {
                _transferred.Add(device.Id);
                _moving.Add(_devices[i] is DiskDeviceOptions disk ? DiskArrival.Expect(device, disk, i) : NetworkArrival.Expect(device, i));
            }
        }

        _memory = new ResourceSection<GuestMemoryState>(Machines.Machine.MemoryName);
    }

    private IEnumerable<string> ExamineDevice(DeviceManifest device, int slot, out DeviceOptions? options)
    {
        DeviceOptions? replacement = local.Replacements.FirstOrDefault(r => r.Id == device.Id);
        IEnumerable<string?> reasons = ExamineKind(device, replacement, out options);
        return ((string?[])
        [
            device.Slot != slot ? $"slot {device.Slot} is not {slot}" : slot >= MachineLayout.MaxVirtioDevices ? $"slot {slot} does not exist here" : null,
            device.BackendTransfer && replacement is not null ? $"its back end is to move, and to be replaced by {replacement.Format()}" : null,
            .. reasons,
        ]).OfType<string>();
    }

    private static IEnumerable<string?> ExamineKind(DeviceManifest device, DeviceOptions? replacement, out DeviceOptions? options)
    {
        if (device.Kind == NetworkArrival.Kind)
        {
            return NetworkArrival.Examine(device, replacement, out options);
        }

        if (device.Kind == DiskArrival.Kind)
        {
            return DiskArrival.Examine(device, replacement, out options);
        }

        options = device.Kind == EntropySource.Kind ? new RngDeviceOptions() : null;
        return
        [
            options is null ? $"a device of kind {device.Kind} is unknown here" : null,
            options is not null && (device.BackendTransfer || replacement is not null) ? "it has no back end, which could move or be replaced" : null,
        ];
    }

    private void ExamineCpus(CpuManifest cpus, List<string> reasons)
    {
        using KvmVirtualMachine probe = new(new VirtualMachineConfig(new Core.Bus.AddressBus("port I/O"), new Core.Bus.AddressBus("MMIO"), lifetime, log), new KvmOptions());
        if (cpus.Count < 1 || cpus.Count > probe.MaxCpuCount)
        {
            reasons.Add($"{cpus.Count} vCPUs are not 1 to {probe.MaxCpuCount}, which KVM on this host can have");
        }

        reasons.AddRange(probe.FindUnsupported(cpus.Leaves));
    }

    private List<int> ExamineSections(IReadOnlyList<SectionManifest> sections, List<string> reasons)
    {
        List<int> versions = [];
        foreach (SectionManifest own in sections.Where(section => !local.Whole && (section.Name is ConsoleSection or ControlPlane.SectionName)))
        {
            reasons.Add($"{own.Name}: this process has its own");
        }

        foreach (SectionManifest section in sections)
        {
            StateKind? kind = StateCatalogue.Find(section.State);
            int version = Math.Min(section.Version, kind?.Version ?? 0);
            if (kind is null)
            {
                reasons.Add($"{section.Name}: its state {section.State} is unknown here");
            }
            else if (version < section.MinimumVersion || version < kind.MinimumVersion)
            {
                reasons.Add($"{section.Name}: the source writes versions {section.MinimumVersion} to {section.Version}, this program reads {kind.MinimumVersion} to {kind.Version}");
            }

            versions.Add(version);
        }

        return versions;
    }
}
