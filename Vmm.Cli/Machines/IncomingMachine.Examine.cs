using System.Globalization;
using Vmm.Backends.Tap;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.State;
using Vmm.Devices.VirtioNet;
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
        foreach (NetworkDeviceOptions replacement in local.Networks.Where(r => manifest.Devices.All(device => device.Id != r.Id)))
        {
            reasons.Add($"{replacement.Id}: the source has no device of this id");
        }

        List<(int, ResourceSection<TapResources>)> taps = [];
        for (int i = 0; i < manifest.Devices.Count; i++)
        {
            DeviceManifest device = manifest.Devices[i];
            int before = reasons.Count;
            reasons.AddRange(ExamineDevice(device, i, out NetworkDeviceOptions? options).Select(reason => $"{device.Id}: {reason}"));
            if (reasons.Count > before)
            {
                continue;
            }

            _networks.Add(options!);
            if (device.BackendTransfer)
            {
                _transferred.Add(device.Id);
                taps.Add((i, new ResourceSection<TapResources>(TapBackend.GetResourceName(device.Id))));
            }
        }

        _taps = taps;
        _memory = new ResourceSection<GuestMemoryState>(Machines.Machine.MemoryName);
    }

    private List<string> ExamineDevice(DeviceManifest device, int slot, out NetworkDeviceOptions? options)
    {
        NetworkDeviceOptions? replacement = local.Networks.FirstOrDefault(r => r.Id == device.Id);
        if (!NetworkDeviceOptions.TryParse(device.Options, out options, out string? unreadable))
        {
            return [unreadable];
        }

        if (replacement is not null)
        {
            options = options with
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

        string?[] reasons =
        [
            device.Kind != VirtioNetDevice.StateKind.Name ? $"a device of kind {device.Kind} is unknown here" : null,
            device.Slot != slot ? $"slot {device.Slot} is not {slot}" : null,
            device.QueuePairs != options.Queues ? $"{Pairs(device.QueuePairs)} do not fit its options, {device.Options}" : null,
            device.BackendTransfer && replacement is not null ? $"its back end is to move, and to be replaced by {replacement.Format()}" : null,
            device.BackendTransfer && device.Backend != "tap" ? $"a back end of kind {device.Backend} can't be taken over here" : null,
            !device.BackendTransfer && replacement is null && options is { Kind: NetworkBackendKind.Tap, IfName: null }
                ? "its TAP does not move, and it has no name by which it could be opened here: say with --net what takes its place"
                : null,
            .. Conflicts(device, replacement),
        ];
        return [.. reasons.OfType<string>()];
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
