using System.Text.Json.Nodes;

namespace Vmm.Migration.Inspect;

/// <summary>One place in which two streams differ.</summary>
/// <param name="Path">Section and field: <c>cpu (0).regs.rip</c>.</param>
/// <param name="Left">The value there, or null when it is not there.</param>
/// <param name="Right">As <paramref name="Left"/>, in the second stream.</param>
public sealed record StateDifference(string Path, string? Left, string? Right)
{
    /// <summary>All differences, in the order of the first stream, then what only the second one has.</summary>
    public static IEnumerable<StateDifference> Between(JsonNode left, JsonNode right) => Compare("", left, right);

    private static IEnumerable<StateDifference> Compare(string path, JsonNode? left, JsonNode? right)
    {
        if (left is JsonObject or JsonArray && right is JsonObject or JsonArray && left.GetType() == right.GetType())
        {
            Dictionary<string, JsonNode?> theirs = Children(right).ToDictionary();
            foreach ((string name, JsonNode? value) in Children(left))
            {
                theirs.Remove(name, out JsonNode? other);
                foreach (StateDifference difference in Compare(path + name, value, other))
                {
                    yield return difference with { Path = difference.Path.TrimStart('.') };
                }
            }

            foreach ((string name, JsonNode? other) in theirs)
            {
                yield return new StateDifference((path + name).TrimStart('.'), null, Text(other));
            }
        }
        else if (!JsonNode.DeepEquals(left, right))
        {
            yield return new StateDifference(path, Text(left), Text(right));
        }
    }

    private static IEnumerable<KeyValuePair<string, JsonNode?>> Children(JsonNode node) => node is JsonArray array
        ? array.Select((value, i) => KeyValuePair.Create($"[{i}]", value))
        : node.AsObject().Select(member => KeyValuePair.Create("." + member.Key, member.Value));

    private static string? Text(JsonNode? node) => node?.ToString();
}
