using Vmm.Cli.Qmp;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Cli.Machines;

/// <summary>A running machine, as a migration sees it.</summary>
internal sealed class MachineSource : IMigrationSource, IStreamSource
{
    private readonly Machine _machine;
    private readonly ControlPlane _control;
    private readonly IReadOnlySet<string> _transfer;
    private readonly bool _whole;
    private UrgentThread? _urgency;
    private bool _ran;

    /// <param name="machine">Runs, or is paused.</param>
    /// <param name="control">Tells its clients.</param>
    /// <param name="transfer">The ids of the devices whose back ends move; each of them can.</param>
    /// <param name="whole">Name, console and control plane go along; otherwise the destination has its own.</param>
    public MachineSource(Machine machine, ControlPlane control, IReadOnlySet<string> transfer, bool whole)
    {
        _machine = machine;
        _control = control;
        _transfer = transfer;
        _whole = whole;
        State = whole
            ? [.. machine.CreateStateSections(transfer), machine.CreateConsoleSection(), .. control.StateSections]
            : machine.CreateStateSections(transfer);
        Snapshot = machine.CreateSnapshotSections();
        Manifest = new Manifest
        {
            Program = ProgramVersion.Text,
            Machine = MachineLayout.MachineType,
            Name = machine.Name,
            Memory = machine.MemoryManifest,
            Cpus = machine.CpuManifest,
            Devices = [.. machine.Devices.Select(device => device.Describe(transfer.Contains(device.Id)))],
            Sections = [.. State.Select(section => new SectionManifest(section.Name, section.Instance, section.StateName, section.Version, section.MinimumVersion))],
            Console = machine.Options.Console.ToString(),
        };
    }

    public Manifest Manifest { get; }

    public IReadOnlyList<IStateSection> Resources => _machine.CreateResources(_transfer);

    public IReadOnlyList<IStateSection> State { get; }

    public IReadOnlyList<IStateSection> Snapshot { get; }

    public GuestMemory Memory => _machine.Memory;

    public void EndSending() => _machine.EndSending(_transfer);

    public void Keep() => _machine.KeepBackends(_transfer);

    public void TakeSnapshot() => _machine.TakeSnapshot();

    public void PreparePause()
    {
        if (_whole)
        {
            // ORDER: first, as a command that runs may take its time; the guest runs on meanwhile.
            _control.Server?.Suspend();
            _machine.SuspendConsole();
        }

        // ORDER: before the priorities: a queue's thread may have to do its last work on the CPU of a vCPU.
        BeginPause();
        _urgency = new UrgentThread(Libc.gettid());
        _urgency.TryRaise(UrgentThread.High);
        _machine.SetUrgent(true);
    }

    void IMigrationSource.Pause(Action then) => _machine.StopCpus(then);

    public void StandBack() => _urgency!.StandBack();

    void IStreamSource.Pause()
    {
        try
        {
            BeginPause();
        }
        catch (IOException)
        {
            Resume();
            throw;
        }

        _machine.StopCpus();
    }

    public void Resume()
    {
        // ORDER: first: threads that the kernel makes for a back end have the priority of this one.
        _urgency?.Lower();
        _machine.ResumeAsBefore();
        Settle();
        Tell(QmpEvent.Resume);
        if (_whole)
        {
            _machine.ResumeConsole();
            _control.Server?.Resume();
        }
    }

    /// <summary>There is no hurry any more.</summary>
    public void Settle()
    {
        _machine.SetUrgent(false);
        _urgency?.Lower();
    }

    private void BeginPause()
    {
        // Once more while the guest can still do something else, so that there is little left to do when it can't.
        _machine.Settle(_transfer);
        _ran = _machine.BeginHandOver();
        Tell(QmpEvent.Stop);
        _machine.Settle(_transfer);
    }

    private void Tell(QmpEvent happening)
    {
        if (_ran)
        {
            _control.Server?.Emit(happening);
        }
    }
}
