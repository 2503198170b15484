using System.Globalization;
using System.Text.Json.Nodes;
using Spectre.Console;

namespace Vmm.Cli.Inspect;

/// <summary>A state as a tree, for terminals. Long values are cut short there; a pipe gets all of them.</summary>
internal static class StateTree
{
    /// <summary>16 bytes as pairs of digits.</summary>
    private const int LongestValue = 16 * 3 - 1;

    public static void Print(string title, JsonObject state)
    {
        Tree tree = new(new Text(title, new Style(decoration: Decoration.Bold)));
        foreach ((string name, JsonNode? value) in state)
        {
            Add(tree, name, value, new Style(Color.Green));
        }

        AnsiConsole.Write(tree);
    }

    private static void Add(IHasTreeNodes parent, string name, JsonNode? node, Style style)
    {
        if (StateText.Value(node) is { } value)
        {
            Paragraph line = new();
            line.Append(name + ": ", new Style(Color.Grey)).Append(Shorten(value));
            parent.AddNode(line);
            return;
        }

        TreeNode branch = parent.AddNode(new Text(name, style));
        foreach ((string child, JsonNode? below) in StateText.Children(node!))
        {
            Add(branch, child, below, Style.Plain);
        }
    }

    private static string Shorten(string value) => value.Length <= LongestValue
        ? value
        : string.Create(CultureInfo.InvariantCulture, $"{value.AsSpan(0, LongestValue)} ... ({value.AsSpan().Count(' ') + 1} in all)");
}
