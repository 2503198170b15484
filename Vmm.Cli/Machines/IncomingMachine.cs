using System.Globalization;
using Microsoft.Extensions.Logging;
using Vmm.Cli.Qmp;
using Vmm.Core.Consoles;
using Vmm.Core.Devices;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Cli.Machines;

/// <summary>A machine that another process hands over: first its description, then what it is built around, then its state.</summary>
/// <param name="control">Expects its control plane, or has its own.</param>
/// <param name="local">What the user wants to be otherwise.</param>
/// <param name="lifetime">Of the machine.</param>
/// <param name="log">Of the machine.</param>
internal sealed partial class IncomingMachine(ControlPlane control, IncomingOptions local, MachineLifetime lifetime, ILogger log)
    : IMigrationDestination, IStreamDestination, IDisposable
{
    private const string ConsoleSection = "console";

    private readonly HashSet<string> _transferred = [];
    private readonly List<DeviceOptions> _devices = [];
    private readonly List<MovingBackend> _moving = [];
    private Manifest? _manifest;
    private UrgentThread? _urgency;
    private bool _isUrgent;
    private ResourceSection<GuestMemoryState>? _memory;

    /// <summary>Called when the machine runs here, before anybody hears of it.</summary>
    public Action? Taken { private get; init; }

    /// <summary>The source's.</summary>
    public MigrationTimeouts Timeouts => _manifest?.Timeouts ?? new();

    /// <summary>Null until it is built.</summary>
    public Machine? Machine { get; private set; }

    public IReadOnlyList<IStateSection> Resources => [_memory!, .. _moving.Select(backend => backend.Section)];

    public IReadOnlyList<IStateSection> Snapshot => Machine!.CreateSnapshotSections();

    public IReadOnlyList<IStateSection> State { get; private set; } = [];

    GuestMemory IStreamDestination.Memory => Machine!.Memory;

    /// <summary>One for this thread besides: vCPUs that wait without sleeping would keep it, and the source, from theirs.</summary>
    private bool HasCpuForEach => Machine!.CpuCount < Environment.ProcessorCount;

    /// <summary>The source shares its RAM.</summary>
    void IMigrationDestination.Prepare()
    {
        GuestMemoryState ram = _memory!.Value;
        if (ram.Size != _manifest!.Memory.Size || ram.HugePages != _manifest.Memory.HugePages)
        {
            throw new StateException("memory", string.Create(CultureInfo.InvariantCulture, $"{ram.Size} bytes came, the manifest has {_manifest.Memory.Size}"));
        }

        Build(GuestMemory.Adopt(ram.File!, new GuestMemoryOptions(ram.Size, ram.HugePages)));
        Rehearsal.Run(MachineLayout.MachineType, Machine!.CreateStateSections(_transferred));
        _urgency = new UrgentThread(Libc.gettid());
        _isUrgent = _urgency.TryRaise(UrgentThread.Low);
        Machine.SetUrgent(true);
    }

    public void Expect()
    {
        // The guest's own vCPU thread, urgent too, keeps its CPU while it needs it. Without priorities it might have to wait for this one.
        if (_isUrgent && HasCpuForEach)
        {
            Machine!.Alert();
        }
    }

    /// <summary>RAM comes as bytes.</summary>
    void IStreamDestination.Prepare()
        => Build(GuestMemory.Create(new GuestMemoryOptions(_manifest!.Memory.Size, _manifest.Memory.HugePages, local.Populate)));

    public void Alert()
    {
        if (!_isUrgent && HasCpuForEach)
        {
            Machine!.Alert();
        }
    }

    public void Claim() => Machine!.Claim();

    public void Run()
    {
        foreach (NetworkCard card in Machine!.Cards.Where(card => !_transferred.Contains(card.Id)))
        {
            Announcement.Send(card);
        }

        Machine.TakeOver();
    }

    public void Settle()
    {
        _urgency?.TryRaise(UrgentThread.High);
        Taken?.Invoke();
        control.Server?.TakeOver();
        if (Machine!.RunState == RunState.Running)
        {
            control.Server?.Emit(QmpEvent.Resume);
        }
    }

    // ORDER: after all of that, as the guest's first steps take a while: KVM knows none of its pages yet. This thread last, which may
    // be kept from its CPU by the others otherwise.
    public void Relax()
    {
        Machine!.SetUrgent(false);
        _urgency?.Lower();
    }

    public void Dispose() => Machine?.Dispose();

    private void Build(GuestMemory memory)
    {
        MachineOptions options = new()
        {
            Name = local.Whole ? _manifest!.Name : local.Name,
            Kernel = "",
            CpuCount = _manifest!.Cpus.Count,
            Memory = memory.Size,
            HugePages = memory.HugePages,
            Devices = _devices,
            Console = local.Console ?? ConsoleOptions.Parse(_manifest.Console),
        };
        Dictionary<int, IDisposable> backends = [];
        foreach (MovingBackend moving in _moving)
        {
            backends.Add(moving.Index, moving.Adopt());
        }

        Machine = Machine.BuildAround(options, memory, backends, _manifest.Cpus.Leaves, consoleComes: local.Whole, lifetime, log);
        if (_manifest.Sections.Any(section => section.Name == ControlPlane.SectionName))
        {
            control.Expect();
        }

        IReadOnlyList<IStateSection> sections = Machine.CreateStateSections(_transferred);
        State = local.Whole ? [.. sections, Machine.CreateConsoleSection(), .. control.StateSections] : sections;
        CheckFeatures();
    }

    /// <summary>Only with the back ends open is it known what the devices can do.</summary>
    private void CheckFeatures()
    {
        foreach ((DeviceManifest device, MachineDevice made) in _manifest!.Devices.Zip(Machine!.Devices))
        {
            ulong missing = device.DriverFeatures & ~made.Transport.OfferedFeatures;
            if (missing != 0)
            {
                throw new StateException(device.Id, string.Create(CultureInfo.InvariantCulture, $"its driver uses features 0x{missing:x}, which {made.BackendDescription ?? "the device here"} does not allow"));
            }
        }
    }
}
