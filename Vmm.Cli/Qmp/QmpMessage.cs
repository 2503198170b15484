using System.Buffers;
using System.Text.Json;

namespace Vmm.Cli.Qmp;

/// <summary>What the server says, as QEMU has it: one line each.</summary>
internal static class QmpMessage
{
    public static byte[] Greeting() => Line(json =>
    {
        json.WriteStartObject("QMP");
        json.WritePropertyName("version");
        JsonSerializer.Serialize(json, Replies.VersionInfo.Current, QmpJson.Default.VersionInfo);
        json.WriteStartArray("capabilities");
        json.WriteEndArray();
        json.WriteEndObject();
    });

    /// <param name="result">JSON.</param>
    /// <param name="id">JSON, or empty.</param>
    public static byte[] Return(ReadOnlyMemory<byte> result, ReadOnlyMemory<byte> id) => Line(json =>
    {
        json.WritePropertyName("return");
        json.WriteRawValue(result.Span, skipInputValidation: true);
        WriteId(json, id);
    });

    public static byte[] Error(string errorClass, string description, ReadOnlyMemory<byte> id) => Line(json =>
    {
        json.WriteStartObject("error");
        json.WriteString("class", errorClass);
        json.WriteString("desc", description);
        json.WriteEndObject();
        WriteId(json, id);
    });

    /// <param name="name">STOP and so on.</param>
    /// <param name="data">JSON, or empty.</param>
    public static byte[] Event(string name, ReadOnlyMemory<byte> data) => Line(json =>
    {
        DateTimeOffset now = DateTimeOffset.UtcNow;
        json.WriteStartObject("timestamp");
        json.WriteNumber("seconds", now.ToUnixTimeSeconds());
        json.WriteNumber("microseconds", now.Ticks % TimeSpan.TicksPerSecond / TimeSpan.TicksPerMicrosecond);
        json.WriteEndObject();
        json.WriteString("event", name);
        if (!data.IsEmpty)
        {
            json.WritePropertyName("data");
            json.WriteRawValue(data.Span, skipInputValidation: true);
        }
    });

    private static void WriteId(Utf8JsonWriter json, ReadOnlyMemory<byte> id)
    {
        if (!id.IsEmpty)
        {
            json.WritePropertyName("id");
            json.WriteRawValue(id.Span, skipInputValidation: true);
        }
    }

    private static byte[] Line(Action<Utf8JsonWriter> write)
    {
        ArrayBufferWriter<byte> output = new(256);
        using (Utf8JsonWriter json = new(output, QmpJson.WriterOptions))
        {
            json.WriteStartObject();
            write(json);
            json.WriteEndObject();
        }

        output.Write("\r\n"u8);
        return output.WrittenSpan.ToArray();
    }
}
