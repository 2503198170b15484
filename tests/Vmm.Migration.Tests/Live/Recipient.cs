using Vmm.Backends.Tap;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Live;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Migration.Tests.Live;

/// <summary>A destination with every kind of section, and no guest.</summary>
internal sealed class Recipient : IMigrationDestination, IDisposable
{
    private readonly ResourceSection<GuestMemoryState> _memory = new("memory");
    private readonly ResourceSection<TapResources> _tap = new("net0/tap-resources");

    public int Runs { get; private set; }

    public IReadOnlyList<IStateSection> Resources => [_memory, _tap];

    public IReadOnlyList<IStateSection> State { get; } = RecordedStream.EmptySections();

    public Verdict Examine(Manifest manifest, bool carriesDescriptors) => new("vmm test", [], [.. State.Select(section => section.Version)]);

    public void Prepare()
    {
    }

    public void Run() => Runs++;

    public void Settle()
    {
    }

    /// <summary>Closes what came.</summary>
    public void Dispose()
    {
        _memory.Value.File?.Dispose();
        Array.ForEach(_tap.Value.Queues ?? [], queue => queue?.Dispose());
    }
}
