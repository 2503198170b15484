using Vmm.Core.State;

namespace Vmm.Cli.Machines;

// What migrates.
internal sealed partial class Machine
{
    /// <summary>All sections of a machine whose vCPUs exist, in the order in which they are saved and applied.</summary>
    // ORDER: a network device before its transport, which activates it; the vCPUs and what else is KVM's last.
    public IReadOnlyList<IStateSection> CreateStateSections() =>
    [
        _uart!.CreateStateSection("com1/uart"),
        .. _cards.SelectMany(card => (IEnumerable<IStateSection>)[card.Device.CreateStateSection(), card.Transport.CreateStateSection()]),
        .. _hypervisor!.CreateStateSections(),
    ];
}
