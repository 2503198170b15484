using System.Text.Json.Nodes;
using Spectre.Console;
using Vmm.Cli.Commands;
using Vmm.Migration.Inspect;

namespace Vmm.Cli.Inspect;

/// <summary>In what two states differ: a table on a terminal, elsewhere lines of path, left and right with tabs between, or JSON.</summary>
internal static class DifferenceView
{
    /// <summary>Stands for what one of them does not have.</summary>
    private const string Nothing = "-";

    public static void Print(TextWriter output, string[] files, IReadOnlyList<StateDifference> differences, bool json, bool terminal)
    {
        if (json)
        {
            JsonArray array = [.. differences.Select(JsonNode (d) => new JsonObject { ["path"] = d.Path, ["left"] = d.Left, ["right"] = d.Right })];
            output.WriteLine(InspectCommand.Text(array));
        }
        else if (terminal && differences.Count > 0)
        {
            Table table = new() { Border = TableBorder.Rounded };
            table.AddColumns(new TableColumn("path"), new TableColumn(Markup.Escape(files[0])), new TableColumn(Markup.Escape(files[1])));
            foreach (StateDifference difference in differences)
            {
                table.AddRow(new Text(difference.Path), new Text(difference.Left ?? Nothing), new Text(difference.Right ?? Nothing));
            }

            AnsiConsole.Write(table);
        }
        else
        {
            foreach (StateDifference difference in differences)
            {
                output.WriteLine($"{difference.Path}\t{difference.Left ?? Nothing}\t{difference.Right ?? Nothing}");
            }
        }
    }
}
