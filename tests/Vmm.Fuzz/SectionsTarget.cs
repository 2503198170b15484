using Vmm.Core.State;
using Vmm.Migration.Stream;
using Vmm.Migration.Tests.Stream;

namespace Vmm.Fuzz;

/// <summary>The state that a source sends: any bytes are loaded, or are a <see cref="StateException"/>.</summary>
internal sealed class SectionsTarget : FuzzTarget
{
    private readonly IReadOnlyList<IStateSection> _sections = RecordedStream.EmptySections();

    public override string Name => "sections";

    public override IEnumerable<(string Name, byte[] Bytes)> Seeds =>
    [
        ("filled", RecordedStream.Bytes(RecordedStream.Sections())),
        ("empty", RecordedStream.Bytes(RecordedStream.EmptySections())),
    ];

    public override void Run(ReadOnlySpan<byte> input)
    {
        try
        {
            StateInput bytes = new(input);
            SectionReader.Load(ref bytes, RecordedStream.Machine, _sections);
        }
        catch (StateException)
        {
            // Refused with section and field.
        }
    }
}
