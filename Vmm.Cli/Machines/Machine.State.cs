using Vmm.Core.Hypervisor;
using Vmm.Core.State;

namespace Vmm.Cli.Machines;

// What migrates.
internal sealed partial class Machine
{
    private static readonly HashSet<string> s_none = [];
    private IReadOnlyList<IStateSection>? _hypervisorSections;

    /// <summary>All sections of a machine whose vCPUs exist, in the order in which they are saved and applied.</summary>
    /// <param name="moving">The ids of the devices whose back ends go along; null for none.</param>
    // ORDER: the vCPUs and what else is KVM's last.
    public IReadOnlyList<IStateSection> CreateStateSections(IReadOnlySet<string>? moving = null) =>
    [
        new RunStateSection(this),
        _uart!.CreateStateSection("com1/uart"),
        _power!.CreateStateSection(),
        .. _devices.SelectMany(device => device.CreateStateSections((moving ?? s_none).Contains(device.Id))),
        .. _hypervisorSections ??= _hypervisor!.CreateStateSections(),
    ];

    /// <summary>See <see cref="IVirtualMachine.CreateSnapshotSections"/>; after <see cref="CreateStateSections"/>.</summary>
    public IReadOnlyList<IStateSection> CreateSnapshotSections() => _hypervisor!.CreateSnapshotSections();

    /// <summary>See <see cref="IVirtualMachine.TakeSnapshot"/>.</summary>
    public void TakeSnapshot()
    {
        lock (_runLock)
        {
            _hypervisor!.TakeSnapshot();
        }
    }

    /// <summary>Of a console that goes along.</summary>
    public IStateSection CreateConsoleSection() => _console!.CreateStateSection();
}
