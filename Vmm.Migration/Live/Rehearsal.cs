using Vmm.Core.State;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Live;

/// <summary>Goes through what will be done while the guest stands still, so that its code and its memory are there by then.</summary>
public static class Rehearsal
{
    /// <summary>Saves sections and loads them again; applies nothing.</summary>
    /// <param name="machine">The machine's type.</param>
    /// <param name="sections">Of a machine that does not run.</param>
    public static void Run(string machine, IReadOnlyList<IStateSection> sections)
    {
        StateBuffer buffer = new();
        for (int i = 0; i < 2; i++)
        {
            buffer.Clear();
            SectionWriter.Write(buffer, machine, sections);
            _ = MessageChannel.Checksum(buffer.Written);
            StateInput input = new(buffer.Written, buffer.Descriptors);
            SectionReader.Load(ref input, machine, sections);
        }
    }
}
