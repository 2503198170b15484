using System.Buffers;
using System.Text;
using System.Text.Json;
using Vmm.Core.State;

namespace Vmm.Migration.Stream;

/// <summary>The JSON at the end of a stream, which says what its sections are made of, so that others can read it.</summary>
public static class StreamDescription
{
    private static readonly JsonWriterOptions s_options = new() { SkipValidation = false };

    /// <summary>Appends type byte, length and JSON. Nothing may follow.</summary>
    public static void Append(StateBuffer buffer, string machine, IReadOnlyList<IStateSection> sections)
    {
        byte[] json = Write(machine, sections);

        // QEMU's analyser looks for the last zero byte and then for the first brace; a brace among the bytes of the length would be taken
        // for it. Spaces after the JSON change the length until there is none.
        int length = json.Length;
        while (HasBrace((uint)length))
        {
            length++;
        }

        buffer.Byte((byte)SectionType.Description);
        buffer.Number((uint)length);
        buffer.Bytes(json);
        buffer.Take(length - json.Length).Fill((byte)' ');
    }

    /// <summary>The JSON alone.</summary>
    /// <param name="sections">In the order of the stream.</param>
    /// <param name="every">With all subsections that there can be.</param>
    public static byte[] Write(string machine, IReadOnlyList<IStateSection> sections, bool every = false)
    {
        ArrayBufferWriter<byte> output = new();
        using Utf8JsonWriter json = new(output, s_options);
        json.WriteStartObject();
        WriteConfiguration(json, machine);
        json.WriteNumber("page_size", StreamFormat.PageSize);
        json.WriteStartArray("devices");
        foreach (IStateSection section in sections)
        {
            json.WriteStartObject();
            json.WriteString("name", section.Name);
            json.WriteNumber("instance_id", section.Instance);
            section.WriteSchema(json, section.Version, every);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    /// <summary>The same form for kinds of sections, whose names stand in place of the sections' own; each also has its <c>minimum_version</c>.</summary>
    public static byte[] WriteSchema(IEnumerable<StateKind> kinds)
    {
        ArrayBufferWriter<byte> output = new();
        using Utf8JsonWriter json = new(output, s_options with { Indented = true });
        json.WriteStartObject();
        json.WriteNumber("page_size", StreamFormat.PageSize);
        json.WriteStartArray("devices");
        foreach (StateKind kind in kinds)
        {
            json.WriteStartObject();
            json.WriteString("name", kind.Name);
            json.WriteNumber("minimum_version", kind.MinimumVersion);
            kind.WriteSchema(json);
            json.WriteEndObject();
        }

        json.WriteEndArray();
        json.WriteEndObject();
        json.Flush();
        return output.WrittenSpan.ToArray();
    }

    private static void WriteConfiguration(Utf8JsonWriter json, string machine)
    {
        json.WriteStartObject("configuration");
        json.WriteString("vmsd_name", "configuration");
        json.WriteNumber("version", 1);
        json.WriteStartArray("fields");
        WriteField(json, "len", "uint32", sizeof(uint));
        WriteField(json, "name", "buffer", Encoding.UTF8.GetByteCount(machine));
        json.WriteEndArray();
        json.WriteEndObject();
    }

    private static void WriteField(Utf8JsonWriter json, string name, string type, int size)
    {
        json.WriteStartObject();
        json.WriteString("name", name);
        json.WriteString("type", type);
        json.WriteNumber("size", size);
        json.WriteEndObject();
    }

    private static bool HasBrace(uint length)
    {
        for (int shift = 0; shift < 32; shift += 8)
        {
            if ((byte)(length >> shift) == (byte)'{')
            {
                return true;
            }
        }

        return false;
    }
}
