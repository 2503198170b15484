using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm list</c>: this user's running machines, as they answer for themselves.</summary>
internal sealed class ListCommand : Command, IExamples
{
    private const string Unknown = "-";

    private static readonly TimeSpan _limit = TimeSpan.FromSeconds(2);

    public ListCommand() : base("list", "Lists this user's running VMs.") => SetAction(List);

    public string Examples => "vmm list";

    private static int List(ParseResult parsed)
    {
        List<string[]> rows = [["NAME", "PID", "STATE", "CPUS", "MEMORY", "UPTIME"]];
        rows.AddRange(RuntimeDirectory.Names.Select(Describe).OfType<string[]>());
        int[] widths = [.. Enumerable.Range(0, rows[0].Length).Select(column => rows.Max(row => row[column].Length))];
        foreach (string[] row in rows)
        {
            parsed.InvocationConfiguration.Output.WriteLine(string.Join("  ", row.Select((text, column) => text.PadRight(widths[column]))).TrimEnd());
        }

        return ExitCode.Success;
    }

    /// <summary>Null for a socket that a killed machine has left.</summary>
    private static string[]? Describe(string name)
    {
        try
        {
            using QmpConnection? connection = QmpConnection.TryOpen(RuntimeDirectory.GetSocket(name), _limit);
            return connection is null ? null : Describe(name, connection);
        }
        catch (Exception e) when (e is TimeoutException or UserErrorException or QmpException)
        {
            return [name, Unknown, "no answer", Unknown, Unknown, Unknown];
        }
    }

    private static string[] Describe(string name, QmpConnection connection)
    {
        JsonElement process = connection.Execute("x-query-process");
        string id = process.GetProperty("pid").GetInt32().ToString(CultureInfo.InvariantCulture);
        string state = connection.Execute("query-status").GetProperty("status").GetString()!;
        if (state == RunState.InMigrate.GetName())
        {
            // There is no machine yet.
            return [name, id, state, Unknown, Unknown, Unknown];
        }

        long memory = connection.Execute("query-memory-size-summary").GetProperty("base-memory").GetInt64();
        TimeSpan uptime = DateTimeOffset.UtcNow - DateTimeOffset.FromUnixTimeSeconds(process.GetProperty("started").GetInt64());
        return
        [
            name,
            id,
            state,
            connection.Execute("query-cpus-fast").GetArrayLength().ToString(CultureInfo.InvariantCulture),
            memory % (1 << 30) == 0 ? $"{memory >> 30}G" : $"{memory >> 20}M",
            uptime.ToString(uptime.Days > 0 ? @"d\d\ hh\:mm\:ss" : @"hh\:mm\:ss", CultureInfo.InvariantCulture),
        ];
    }
}
