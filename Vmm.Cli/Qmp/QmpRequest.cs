using System.Buffers;
using System.Text.Json;

namespace Vmm.Cli.Qmp;

/// <summary>One command as the client gave it.</summary>
/// <param name="Command">Its name.</param>
/// <param name="Arguments">An object, or undefined.</param>
internal readonly record struct QmpRequest(string Command, JsonElement Arguments)
{
    private static readonly JsonDocumentOptions _options = new() { AllowDuplicateProperties = false };

    /// <summary>Reads a request, as far as it is one.</summary>
    /// <param name="bytes">One JSON value, or what should be one.</param>
    /// <param name="id">The id that the answer repeats, as JSON; empty when there is none. Known even when the rest is refused.</param>
    /// <exception cref="QmpException">It is none.</exception>
    public static QmpRequest Parse(ReadOnlyMemory<byte> bytes, out byte[] id)
    {
        id = [];
        JsonElement root = ParseJson(bytes);
        if (root.ValueKind != JsonValueKind.Object)
        {
            throw new QmpException("QMP input must be a JSON object");
        }

        if (root.TryGetProperty("id", out JsonElement found))
        {
            id = Compact(found);
        }

        string? command = null;
        JsonElement arguments = default;
        foreach (JsonProperty member in root.EnumerateObject())
        {
            switch (member.Name)
            {
                case "execute":
                    command = member.Value.ValueKind == JsonValueKind.String
                        ? member.Value.GetString()
                        : throw new QmpException("QMP input member 'execute' must be a string");
                    break;
                case "arguments":
                    arguments = member.Value.ValueKind == JsonValueKind.Object
                        ? member.Value
                        : throw new QmpException("QMP input member 'arguments' must be an object");
                    break;
                case "id":
                    break;
                default:
                    throw new QmpException($"QMP input member '{member.Name}' is unexpected");
            }
        }

        return new QmpRequest(command ?? throw new QmpException("QMP input lacks member 'execute'"), arguments);
    }

    /// <summary>On one line, however it came.</summary>
    private static byte[] Compact(JsonElement value)
    {
        ArrayBufferWriter<byte> output = new();
        using (Utf8JsonWriter json = new(output, QmpJson.WriterOptions))
        {
            value.WriteTo(json);
        }

        return output.WrittenSpan.ToArray();
    }

    private static JsonElement ParseJson(ReadOnlyMemory<byte> bytes)
    {
        try
        {
            using JsonDocument document = JsonDocument.Parse(bytes, _options);
            return document.RootElement.Clone();
        }
        catch (JsonException e)
        {
            // The place in the line comes last, and means nothing to somebody who sees the whole line.
            string reason = e.Message.Split(" LineNumber:", 2)[0].TrimEnd('.');
            throw new QmpException($"JSON parse error, {char.ToLowerInvariant(reason[0])}{reason[1..]}");
        }
    }
}
