using System.Text;
using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>Writes a stream of whole sections into a <see cref="StateBuffer"/>. Allocates nothing but for the description.</summary>
internal static class SectionWriter
{
    /// <param name="buffer">Where it goes; what is in it stays.</param>
    /// <param name="machine">The machine's name, 255 bytes at most.</param>
    /// <param name="sections">In the order of the stream.</param>
    /// <param name="versions">Versions as the reader wants them, by name and instance; the present one of every other section.</param>
    public static void Write(
        StateBuffer buffer, string machine, IReadOnlyList<IStateSection> sections, IReadOnlyDictionary<(string Name, int Instance), int>? versions = null)
    {
        buffer.Number(StreamFormat.Magic);
        buffer.Number(StreamFormat.Version);
        buffer.Byte((byte)SectionType.Configuration);
        int length = Encoding.UTF8.GetByteCount(machine);
        buffer.Number((uint)length);
        Encoding.UTF8.GetBytes(machine, buffer.Take(length));
        WriteSections(buffer, sections, 0, versions);
        buffer.Byte((byte)SectionType.EndOfFile);
    }

    /// <summary>The sections alone, the first one with number <paramref name="first"/>.</summary>
    public static void WriteSections(
        StateBuffer buffer, IReadOnlyList<IStateSection> sections, uint first, IReadOnlyDictionary<(string Name, int Instance), int>? versions = null)
    {
        for (int i = 0; i < sections.Count; i++)
        {
            IStateSection section = sections[i];
            int version = versions is not null && versions.TryGetValue((section.Name, section.Instance), out int wanted) ? wanted : section.Version;
            uint number = first + (uint)i;
            buffer.Byte((byte)SectionType.Full);
            buffer.Number(number);
            buffer.Name(section.Name);
            buffer.Number((uint)section.Instance);
            buffer.Number((uint)version);
            section.Save(buffer, version);
            buffer.Byte((byte)SectionType.Footer);
            buffer.Number(number);
        }
    }
}
