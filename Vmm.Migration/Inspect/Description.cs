using System.Text.Json;
using Vmm.Core.State;

namespace Vmm.Migration.Inspect;

/// <summary>Members of a stream's description, which anybody may have written.</summary>
internal static class Description
{
    public static JsonElement.ArrayEnumerator Array(JsonElement owner, string name)
        => Find(owner, name) is { ValueKind: JsonValueKind.Array } array ? array.EnumerateArray() : throw Missing(owner, name, "an array");

    public static string Text(JsonElement owner, string name)
        => Find(owner, name) is { ValueKind: JsonValueKind.String } text && TryGetString(text) is { } value ? value : throw Missing(owner, name, "a text");

    public static int Number(JsonElement owner, string name)
        => Find(owner, name) is { ValueKind: JsonValueKind.Number } number && number.TryGetInt32(out int value) && value >= 0
            ? value
            : throw Missing(owner, name, "a number of 0 to 2147483647");

    public static JsonElement? Find(JsonElement owner, string name)
    {
        try
        {
            return owner.ValueKind == JsonValueKind.Object && owner.TryGetProperty(name, out JsonElement member) ? member : null;
        }
        catch (InvalidOperationException)
        {
            throw Missing(owner, "a member's name", "a text");
        }
    }

    /// <summary>Null for escapes that are no Unicode, such as half a surrogate pair.</summary>
    private static string? TryGetString(JsonElement text)
    {
        try
        {
            return text.GetString();
        }
        catch (InvalidOperationException)
        {
            return null;
        }
    }

    private static StateException Missing(JsonElement owner, string name, string what)
    {
        string text = owner.GetRawText();
        return new StateException("description", $"{name} is not {what} in {(text.Length > 80 ? text[..80] + "..." : text)}");
    }
}
