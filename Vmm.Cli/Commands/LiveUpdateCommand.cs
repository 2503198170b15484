using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Spectre.Console;
using Vmm.Cli.Qmp;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Linux;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm live-update</c>: a running machine goes on in a new process, of another binary perhaps.</summary>
internal sealed class LiveUpdateCommand : Command, IExamples
{
    private readonly Argument<string> _machine = new("name") { Description = "The VM's name, or the path of its QMP socket." };

    private readonly Option<string?> _binary = new("--binary") { Description = "The vmm to go on with; the same file as this one by default.", HelpName = "path" };

    private readonly Option<string> _transfer = new("--backend-transfer")
    {
        Description = "Devices whose back ends move as they are: all that can, none, or ids.",
        HelpName = "all|none|id,...",
        DefaultValueFactory = _ => "all",
    };

    private readonly Option<string[]> _net = new("--net", "-n")
    {
        Description = "A back end to be opened by the new process in place of the present one, as vmm run has it, with id=; may be repeated.",
        HelpName = "backend,id=...",
        DefaultValueFactory = _ => [],
    };

    private readonly Option<string> _mode = new("--mode")
    {
        Description = "transfer: a new process has the VM, and the old one stays to wait for it. exec: the process stays the same, and runs the new binary.",
        HelpName = "transfer|exec",
        DefaultValueFactory = _ => "transfer",
    };

    private readonly Option<bool> _dryRun = new("--dry-run") { Description = "Only ask the new binary whether it would take the VM." };

    public LiveUpdateCommand() : base("live-update", "Replaces the vmm under a running guest, which does not notice.")
    {
        foreach (Symbol symbol in (Symbol[])[_machine, _binary, _transfer, _net, _mode.AcceptOnlyFromAmong("transfer", "exec"), _dryRun])
        {
            if (symbol is Option option)
            {
                Add(option);
            }
            else
            {
                Add((Argument)symbol);
            }
        }

        SetAction(Update);
    }

    public string Examples => """
        vmm live-update vm
        vmm live-update vm --binary ./vmm-new --dry-run
        vmm live-update vm --mode exec
        vmm live-update vm --backend-transfer net0 --net tap,id=net1,ifname=vmtap7
        """;

    private int Update(ParseResult parsed)
    {
        string machine = parsed.GetRequiredValue(_machine);
        JsonObject arguments = new()
        {
            ["binary"] = Path.GetFullPath(parsed.GetValue(_binary) ?? ProgramFile.Path),
            ["backend-transfer"] = ParseTransfer(parsed.GetRequiredValue(_transfer)),
            ["mode"] = parsed.GetRequiredValue(_mode),
            ["dry-run"] = parsed.GetValue(_dryRun),
        };
        if (parsed.GetRequiredValue(_net) is { Length: > 0 } nets)
        {
            arguments["net"] = new JsonArray([.. nets.Select(net => (JsonNode)JsonValue.Create(net))]);
        }

        using QmpConnection connection = QmpConnection.Open(machine);
        try
        {
            return Print(machine, connection.Execute("live-update", arguments).Deserialize(QmpJson.Default.LiveUpdateReply)!);
        }
        catch (QmpException e)
        {
            StandardError.WriteLine($"vmm: {machine}: {e.Message}");
            return ExitCode.CheckFailed;
        }
    }

    /// <summary>As QMP has it.</summary>
    internal static JsonNode ParseTransfer(string text) => text switch
    {
        "all" => JsonValue.Create(true),
        "none" => JsonValue.Create(false),
        string ids => new JsonArray([.. ids.Split(',').Select(id => (JsonNode)JsonValue.Create(id))]),
    };

    private static int Print(string machine, LiveUpdateReply reply)
    {
        if (reply.Phases is not { } phases)
        {
            Console.Out.WriteLine(reply.Accepted ? $"{machine}: the new binary would take it." : $"{machine}: the new binary would not take it:");
            foreach (string reason in reply.Reasons)
            {
                Console.Out.WriteLine($"  {reason}");
            }

            return reply.Accepted ? ExitCode.Success : ExitCode.CheckFailed;
        }

        Table table = new() { Border = Console.IsOutputRedirected ? TableBorder.None : TableBorder.Rounded };
        table.AddColumn("phase");
        table.AddColumn(new TableColumn("us").RightAligned());
        foreach ((string name, double microseconds) in phases.GetRows())
        {
            table.AddRow(name, microseconds.ToString("N0", CultureInfo.InvariantCulture));
        }

        string twice = phases.EarlierDowntime > 0 ? string.Create(CultureInfo.InvariantCulture, $", and {phases.EarlierDowntime:N0} us on the way to the helper") : "";
        Console.Out.WriteLine($"{machine} runs in process {reply.Pid}; the guest stood still from pause to run{twice}:");
        AnsiConsole.Write(table);
        return ExitCode.Success;
    }
}
