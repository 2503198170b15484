using System.Text.Json.Nodes;

namespace Vmm.Cli.Inspect;

/// <summary>A state as text: a line for each field, two spaces for each level. Nothing is left out.</summary>
internal static class StateText
{
    public static void Print(TextWriter output, JsonObject state)
    {
        foreach ((string name, JsonNode? value) in state)
        {
            Print(output, name, value, "");
        }
    }

    /// <summary>Null when the node has lines of its own below it; otherwise its value on one line.</summary>
    public static string? Value(JsonNode? node) => node switch
    {
        JsonArray array when array.All(element => element is JsonValue) => string.Join(' ', array.Select(Value)),
        JsonValue value => value.ToString(),
        null => "null",
        _ => null,
    };

    /// <summary>What stands below a node, each with its name.</summary>
    public static IEnumerable<(string Name, JsonNode? Value)> Children(JsonNode node) => node is JsonArray array
        ? array.Select((element, i) => ($"[{i}]", element))
        : node.AsObject().Select(member => (member.Key, member.Value));

    private static void Print(TextWriter output, string name, JsonNode? node, string indent)
    {
        if (Value(node) is { } value)
        {
            output.WriteLine($"{indent}{name}: {value}");
            return;
        }

        output.WriteLine($"{indent}{name}");
        foreach ((string child, JsonNode? below) in Children(node!))
        {
            Print(output, child, below, indent + "  ");
        }
    }
}
