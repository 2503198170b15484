using System.Text;
using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>Reads a stream of whole sections. Every section must be there, once, in the order in which this machine would write it.</summary>
internal static class SectionReader
{
    /// <summary>Loads all sections; none is applied.</summary>
    /// <exception cref="StateException">What is wrong, and in which section and field.</exception>
    public static void Load(ref StateInput input, string machine, IReadOnlyList<IStateSection> sections)
    {
        ReadHeader(ref input, machine);
        LoadSections(ref input, sections, 0);
        if (input.DescriptorsLeft > 0)
        {
            throw new StateException("stream", $"{input.DescriptorsLeft} more open files came with it than its sections name");
        }
    }

    /// <summary>Loads sections, the first one of number <paramref name="first"/>, and the mark after the last one.</summary>
    /// <exception cref="StateException">What is wrong, and in which section and field.</exception>
    public static void LoadSections(ref StateInput input, IReadOnlyList<IStateSection> sections, uint first)
    {
        for (int i = 0; i < sections.Count; i++)
        {
            LoadSection(ref input, first + (uint)i, sections[i]);
        }

        Expect(ref input, SectionType.EndOfFile, sections.Count == 0 ? "stream" : $"after {Describe(sections[^1])}");
    }

    /// <summary>Loads one section with its header and footer.</summary>
    /// <exception cref="StateException">What is wrong, and in which section and field.</exception>
    public static void LoadSection(ref StateInput input, uint number, IStateSection section)
    {
        string name = Describe(section);
        Expect(ref input, SectionType.Full, name);
        uint foundNumber = Number(ref input, name);
        if (!input.TryTakeName(out string foundName))
        {
            throw new StateException(name, "the stream ends in its name");
        }

        uint instance = Number(ref input, name);
        if (foundName != section.Name || instance != (uint)section.Instance || foundNumber != number)
        {
            throw new StateException(name, $"section {foundNumber}, {foundName}[{instance}], stands where section {number} is expected");
        }

        uint version = Number(ref input, name);
        if (version < (uint)section.MinimumVersion || version > (uint)section.Version)
        {
            throw new StateException(name, $"version {version}, where this program reads {section.MinimumVersion} to {section.Version}");
        }

        section.Load(ref input, (int)version);
        Expect(ref input, SectionType.Footer, name);
        uint footer = Number(ref input, name);
        if (footer != foundNumber)
        {
            throw new StateException(name, $"the footer says section {footer}, the header {foundNumber}");
        }
    }

    private static void ReadHeader(ref StateInput input, string machine)
    {
        uint magic = Number(ref input, "header");
        if (magic != StreamFormat.Magic)
        {
            throw new StateException("header", $"begins with 0x{magic:x8}, a migration stream with 0x{StreamFormat.Magic:x8}");
        }

        uint version = Number(ref input, "header");
        if (version != StreamFormat.Version)
        {
            throw new StateException("header", $"version {version} of the format, where {StreamFormat.Version} is read here");
        }

        Expect(ref input, SectionType.Configuration, "header");
        uint length = Number(ref input, "configuration");
        if (length > byte.MaxValue || !input.TryTake((int)length, out ReadOnlySpan<byte> name))
        {
            throw new StateException("configuration", $"a machine name of {length} bytes, where {Math.Min(input.Left, byte.MaxValue)} can be");
        }

        string found = Encoding.UTF8.GetString(name);
        if (found != machine)
        {
            throw new StateException("configuration", $"the stream is of a machine of type {found}, this one is {machine}");
        }
    }

    private static string Describe(IStateSection section) => section.Instance == 0 ? section.Name : $"{section.Name}[{section.Instance}]";

    private static void Expect(scoped ref StateInput input, SectionType wanted, string where)
    {
        if (!input.TryTakeByte(out byte found))
        {
            throw new StateException(where, $"the stream ends where 0x{(byte)wanted:x2} ({wanted}) is expected");
        }

        if (found != (byte)wanted)
        {
            throw new StateException(where, $"byte 0x{found:x2} where 0x{(byte)wanted:x2} ({wanted}) is expected");
        }
    }

    private static uint Number(scoped ref StateInput input, string where)
        => input.TryTakeNumber(out uint value) ? value : throw new StateException(where, "the stream ends in a number of 4 bytes");
}
