using System.Text;
using System.Text.Json;
using Vmm.Cli.Qmp;

namespace Vmm.Cli.Shell;

/// <summary>JSON for people.</summary>
internal static class JsonText
{
    public static string Indent(JsonElement value)
    {
        using MemoryStream text = new();
        using (Utf8JsonWriter json = new(text, QmpJson.WriterOptions with { Indented = true }))
        {
            value.WriteTo(json);
        }

        return Encoding.UTF8.GetString(text.ToArray());
    }

    /// <summary>Passes on what is one whole value: the rest of another one would be waited for in vain.</summary>
    /// <exception cref="UserErrorException">It is none.</exception>
    public static string Check(string text)
    {
        try
        {
            JsonDocument.Parse(text).Dispose();
            return text;
        }
        catch (JsonException)
        {
            throw new UserErrorException("This line is no whole JSON object.");
        }
    }
}
