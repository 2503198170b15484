using Vmm.Core.Devices.Uart;
using Vmm.Core.Hypervisor;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Tests.Conformance;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Live;

/// <summary>Both ends of a migration without a guest: it counts what is asked of it.</summary>
internal sealed class FakeMachine(bool empty = false) : IMigrationSource, IMigrationDestination
{
    private FixedSection<UartState> _serial = Section("serial", empty);

    /// <summary>The name of its one section.</summary>
    public string StateName
    {
        init => _serial = Section(value, empty);
    }

    public int Pauses { get; private set; }

    public int Resumes { get; private set; }

    public int Runs { get; private set; }

    public bool IsPrepared { get; private set; }

    /// <summary>What <see cref="Examine"/> has against it.</summary>
    public IReadOnlyList<string> Reasons { get; init; } = [];

    public byte[] Serial => _serial.Bytes;

    public Manifest Manifest { get; init; } = new()
    {
        Program = "vmm test",
        Machine = RecordedStream.Machine,
        Name = "fake",
        Memory = new MemoryManifest(1 << 20, HugePages: false),
        Cpus = new CpuManifest(1, [new CpuidLeaf(0, 0, false, 1, 2, 3, 4)], 0),
        Devices = [],
        Sections = [new SectionManifest("serial", 0, "uart", 1, 1)],
        Console = "none",
    };

    public IReadOnlyList<IStateSection> Resources { get; init; } = [];

    public IReadOnlyList<IStateSection> State => [_serial];

    public void PreparePause()
    {
    }

    public void Pause(Action then)
    {
        Pauses++;
        then();
    }

    public void Resume() => Resumes++;

    public Verdict Examine(Manifest manifest, bool carriesDescriptors) => new("vmm test", Reasons, Reasons.Count == 0 ? [1] : null);

    public void Prepare() => IsPrepared = true;

    public void Run() => Runs++;

    public void Settle()
    {
    }

    private static FixedSection<UartState> Section(string name, bool empty) => new(name, empty ? default : DescribedType.Filled<UartState>());
}
