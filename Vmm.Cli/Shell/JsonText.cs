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
}
