using System.Text.Json;

namespace Vmm.Cli.Qmp;

/// <summary>A command's arguments, taken one by one; QEMU's words for what is wrong with them.</summary>
internal sealed class QmpArguments(JsonElement arguments)
{
    private readonly HashSet<string> _taken = [];

    public string String(string name) => OptionalString(name) ?? throw Missing(name);

    public string? OptionalString(string name)
        => !TryTake(name, out JsonElement value) ? null
            : value.ValueKind == JsonValueKind.String ? value.GetString()
            : throw Wrong(name, "string");

    public bool Boolean(string name) => OptionalBoolean(name) ?? throw Missing(name);

    public bool? OptionalBoolean(string name)
        => !TryTake(name, out JsonElement value) ? null
            : value.ValueKind is JsonValueKind.True or JsonValueKind.False ? value.GetBoolean()
            : throw Wrong(name, "boolean");

    public long? OptionalInteger(string name)
        => !TryTake(name, out JsonElement value) ? null
            : value.ValueKind == JsonValueKind.Number && value.TryGetInt64(out long number) ? number
            : throw Wrong(name, "integer");

    public IReadOnlyList<string>? OptionalStrings(string name)
    {
        if (!TryTake(name, out JsonElement value))
        {
            return null;
        }

        return value.ValueKind == JsonValueKind.Array
            ? [.. value.EnumerateArray().Select((item, i) => item.ValueKind == JsonValueKind.String ? item.GetString()! : throw Wrong($"{name}[{i}]", "string"))]
            : throw Wrong(name, "array");
    }

    /// <summary>Any value; undefined when it is not there.</summary>
    public JsonElement OptionalValue(string name) => TryTake(name, out JsonElement value) ? value : default;

    /// <summary>Refuses what has not been taken.</summary>
    public void End()
    {
        if (arguments.ValueKind == JsonValueKind.Object)
        {
            foreach (JsonProperty member in arguments.EnumerateObject().Where(member => !_taken.Contains(member.Name)))
            {
                throw new QmpException($"Parameter '{member.Name}' is unexpected");
            }
        }
    }

    /// <summary>What a parameter that is not of its type is answered with.</summary>
    public static QmpException Wrong(string name, string type) => new($"Invalid parameter type for '{name}', expected: {type}");

    private static QmpException Missing(string name) => new($"Parameter '{name}' is missing");

    private bool TryTake(string name, out JsonElement value)
    {
        _taken.Add(name);
        value = default;
        return arguments.ValueKind == JsonValueKind.Object && arguments.TryGetProperty(name, out value);
    }
}
