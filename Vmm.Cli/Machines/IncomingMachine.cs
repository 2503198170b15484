using System.Globalization;
using Microsoft.Extensions.Logging;
using Vmm.Backends.Tap;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Hypervisor;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.Network;
using Vmm.Core.State;
using Vmm.Devices.VirtioNet;
using Vmm.Kvm;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>A machine that another process hands over: first its description, then what it is built around, then its state.</summary>
/// <param name="control">Expects its control plane.</param>
/// <param name="replacements">Devices whose back ends are to be opened as these options say, in place of the source's.</param>
/// <param name="log">Of the machine.</param>
internal sealed class IncomingMachine(ControlPlane control, IReadOnlyList<NetworkDeviceOptions> replacements, MachineLifetime lifetime, ILogger log) : IMigrationDestination, IDisposable
{
    private readonly HashSet<string> _transferred = [];
    private readonly List<NetworkDeviceOptions> _networks = [];
    private Manifest? _manifest;
    private UrgentThread? _urgency;
    private ResourceSection<GuestMemoryState>? _memory;
    private IReadOnlyList<(int Index, ResourceSection<TapResources> Section)> _taps = [];

    /// <summary>Built by <see cref="Prepare"/>.</summary>
    public Machine? Machine { get; private set; }

    public IReadOnlyList<IStateSection> Resources => [_memory!, .. _taps.Select(tap => tap.Section)];

    public IReadOnlyList<IStateSection> State { get; private set; } = [];

    public Verdict Examine(Manifest manifest, bool carriesDescriptors)
    {
        _manifest = manifest;
        List<string> reasons = [];
        if (manifest.Machine != MachineLayout.MachineType)
        {
            reasons.Add($"the machine is of type {manifest.Machine}, this program makes {MachineLayout.MachineType}");
        }

        if (!carriesDescriptors)
        {
            reasons.Add("no open files come through this channel, so neither RAM nor a back end can move; use a UNIX socket");
        }

        ExamineDevices(manifest, reasons);
        ExamineCpus(manifest.Cpus, reasons);
        if (!ConsoleOptions.TryParse(manifest.Console, out _, out string? wrong))
        {
            reasons.Add(wrong);
        }

        List<int> versions = ExamineSections(manifest.Sections, reasons);
        return new Verdict(ProgramVersion.Text, reasons, reasons.Count == 0 ? versions : null);
    }

    public void Prepare()
    {
        GuestMemoryState ram = _memory!.Value;
        if (ram.Size != _manifest!.Memory.Size || ram.HugePages != _manifest.Memory.HugePages)
        {
            throw new StateException("memory", string.Create(CultureInfo.InvariantCulture, $"{ram.Size} bytes came, the manifest has {_manifest.Memory.Size}"));
        }

        MachineOptions options = new()
        {
            Name = _manifest.Name,
            Kernel = "",
            CpuCount = _manifest.Cpus.Count,
            Memory = ram.Size,
            HugePages = ram.HugePages,
            Networks = _networks,
            Console = ConsoleOptions.Parse(_manifest.Console),
        };
        Dictionary<int, INetworkBackend> backends = [];
        GuestMemory memory = GuestMemory.Adopt(ram.File!, new GuestMemoryOptions(ram.Size, ram.HugePages));
        foreach ((int index, ResourceSection<TapResources> section) in _taps)
        {
            backends.Add(index, TapBackend.Adopt(in section.Value));
        }

        Machine = Machine.BuildAround(options, memory, backends, _manifest.Cpus.Leaves, lifetime, log);
        if (_manifest.Sections.Any(section => section.Name == ControlPlane.SectionName))
        {
            control.Expect();
        }

        IReadOnlyList<IStateSection> sections = Machine.CreateStateSections(_transferred);
        State = [.. sections, .. control.StateSections];
        CheckFeatures();
        Rehearsal.Run(MachineLayout.MachineType, sections);
        _urgency = new UrgentThread(Libc.gettid());
        _urgency.TryRaise(UrgentThread.High);
        Machine.SetUrgent(true);
    }

    public void Run() => Machine!.TakeOver();

    public void Settle()
    {
        Machine!.SetUrgent(false);
        _urgency!.Lower();
        control.Server?.TakeOver();
        control.Server?.Emit(QmpEvent.Resume);
    }

    public void Dispose() => Machine?.Dispose();

    private void ExamineDevices(Manifest manifest, List<string> reasons)
    {
        foreach (NetworkDeviceOptions replacement in replacements.Where(r => manifest.Devices.All(device => device.Id != r.Id)))
        {
            reasons.Add($"{replacement.Id}: the source has no device of this id");
        }

        List<(int, ResourceSection<TapResources>)> taps = [];
        for (int i = 0; i < manifest.Devices.Count; i++)
        {
            DeviceManifest device = manifest.Devices[i];
            if (ExamineDevice(device, i, out NetworkDeviceOptions? options) is { } reason)
            {
                reasons.Add($"{device.Id}: {reason}");
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

    private string? ExamineDevice(DeviceManifest device, int slot, out NetworkDeviceOptions? options)
    {
        NetworkDeviceOptions? replacement = replacements.FirstOrDefault(r => r.Id == device.Id);
        if (!NetworkDeviceOptions.TryParse(device.Options, out options, out string? reason))
        {
            return reason;
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
            };
        }

        return device.Kind != VirtioNetDevice.StateKind.Name ? $"a device of kind {device.Kind} is unknown here"
            : device.Slot != slot ? $"slot {device.Slot} is not {slot}"
            : device.QueuePairs != options.Queues ? $"{device.QueuePairs} queue pairs do not fit its options, {device.Options}"
            : device.BackendTransfer && replacement is not null ? $"its back end is to move, and to be replaced by {replacement.Format()}"
            : device.BackendTransfer && device.Backend != "tap" ? $"a back end of kind {device.Backend} can't be taken over here"
            : null;
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

    private static List<int> ExamineSections(IReadOnlyList<SectionManifest> sections, List<string> reasons)
    {
        List<int> versions = [];
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

    /// <summary>Only with the back ends open is it known what the devices can do.</summary>
    private void CheckFeatures()
    {
        foreach ((DeviceManifest device, NetworkCard card) in _manifest!.Devices.Zip(Machine!.Cards))
        {
            ulong missing = device.DriverFeatures & ~card.Transport.OfferedFeatures;
            if (missing != 0)
            {
                throw new StateException(device.Id, string.Create(CultureInfo.InvariantCulture, $"its driver uses features 0x{missing:x}, which {card.Backend.Description} does not allow"));
            }
        }
    }
}
