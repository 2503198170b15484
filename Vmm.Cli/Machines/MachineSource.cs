using Vmm.Backends.Tap;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Network;
using Vmm.Core.State;
using Vmm.Devices.VirtioNet;
using Vmm.Migration.Live;

namespace Vmm.Cli.Machines;

/// <summary>A running machine and its control plane, as a migration sees them.</summary>
internal sealed class MachineSource : IMigrationSource
{
    private readonly Machine _machine;
    private readonly ControlPlane _control;
    private UrgentThread? _urgency;

    /// <param name="machine">Runs, or is paused.</param>
    /// <param name="control">Goes along.</param>
    /// <param name="transfer">The ids of the devices whose back ends move; each of them can.</param>
    public MachineSource(Machine machine, ControlPlane control, IReadOnlySet<string> transfer)
    {
        _machine = machine;
        _control = control;
        Resources = machine.CreateResources(transfer);
        State = [.. machine.CreateStateSections(transfer), .. control.StateSections];
        Manifest = new Manifest
        {
            Program = ProgramVersion.Text,
            Machine = MachineLayout.MachineType,
            Name = machine.Name,
            Memory = machine.MemoryManifest,
            Cpus = machine.CpuManifest,
            Devices = [.. machine.Cards.Select((card, i) => Describe(card, i, transfer.Contains(card.Id)))],
            Sections = [.. State.Select(section => new SectionManifest(section.Name, section.Instance, section.StateName, section.Version, section.MinimumVersion))],
            Console = machine.Options.Console.ToString(),
        };
    }

    public Manifest Manifest { get; }

    public IReadOnlyList<IStateSection> Resources { get; }

    public IReadOnlyList<IStateSection> State { get; }

    public void PreparePause()
    {
        // ORDER: first, as a command that runs may take its time; the guest runs on meanwhile.
        _control.Server?.Suspend();
        _machine.SuspendConsole();
        _urgency = new UrgentThread(Libc.gettid());
        _urgency.TryRaise(UrgentThread.High);
        _machine.SetUrgent(true);
    }

    public void Pause()
    {
        _machine.BeginHandOver();
        _control.Server?.Emit(QmpEvent.Stop);
    }

    public void Resume()
    {
        _machine.ResumeAsBefore();
        _machine.SetUrgent(false);
        _urgency!.Lower();
        _machine.ResumeConsole();
        _control.Server?.Emit(QmpEvent.Resume);
        _control.Server?.Resume();
    }

    private DeviceManifest Describe(NetworkCard card, int index, bool moves)
    {
        NetworkDeviceOptions options = _machine.Options.Networks[index];
        return new DeviceManifest
        {
            Id = card.Id,
            Kind = VirtioNetDevice.StateKind.Name,
            Slot = index,
            BackendTransfer = moves,
            Backend = card.Backend.Description.Split(' ')[0],
            Options = (options with { Id = card.Id, Mac = card.Device.Mac, Mtu = card.Device.Mtu }).Format(),
            InterfaceName = (card.Backend as TapBackend)?.InterfaceName,
            Descriptors = moves ? card.Backend.QueueCount : 0,
            QueuePairs = options.Queues,
            Mac = card.Device.Mac.ToString(),
            Mtu = card.Device.Mtu ?? 0,
            OfferedFeatures = card.Device.OfferedFeatures,
            DriverFeatures = card.Transport.Features,
            Offloads = (uint)card.Backend.SupportedOffloads,
        };
    }
}
