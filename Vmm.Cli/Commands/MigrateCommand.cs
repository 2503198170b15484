using System.CommandLine;
using System.Globalization;
using System.Text.Json;
using System.Text.Json.Nodes;
using Vmm.Cli.Qmp;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Linux;
using Vmm.Migration.Channels;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm migrate</c>: a running machine goes to a process that waits for it, or into a file.</summary>
internal sealed class MigrateCommand : Command, IExamples
{
    private static readonly TimeSpan _poll = TimeSpan.FromMilliseconds(20);

    private readonly Argument<string> _machine = new("name") { Description = "The VM's name, or the path of its QMP socket." };

    private readonly Argument<string> _uri = new("uri") { Description = "Where it goes: unix:PATH, tcp:HOST:PORT, fd:N, exec:COMMAND or file:PATH." };

    private readonly Option<string> _transfer = new("--backend-transfer")
    {
        Description = "Devices whose back ends move as they are, through a UNIX socket: all that can, none, or ids.",
        HelpName = "all|none|id,...",
        DefaultValueFactory = _ => "none",
    };

    public MigrateCommand() : base("migrate", "Moves a running VM to another process, or writes it to a file.")
    {
        _uri.Validators.Add(result =>
        {
            if (!MigrationUri.TryParse(result.Tokens[0].Value, out _, out string? error))
            {
                result.AddError(error);
            }
        });
        Add(_machine);
        Add(_uri);
        Add(_transfer);
        SetAction(Migrate);
    }

    public string Examples => """
        vmm migrate vm unix:/run/vmm/next --backend-transfer all
        vmm migrate vm tcp:host2:4444
        vmm migrate vm "exec:zstd > vm.zst"
        vmm migrate vm file:vm.state
        """;

    private int Migrate(ParseResult parsed)
    {
        string machine = parsed.GetRequiredValue(_machine);
        MigrationUri uri = MigrationUri.Parse(parsed.GetRequiredValue(_uri));
        using QmpConnection connection = QmpConnection.Open(machine);
        try
        {
            JsonObject arguments = new()
            {
                ["uri"] = Resolve(uri).ToString(),
                ["backend-transfer"] = LiveUpdateCommand.ParseTransfer(parsed.GetRequiredValue(_transfer)),
            };
            connection.Execute("migrate", arguments);
            return Report(machine, uri, connection, Await(connection));
        }
        catch (QmpException e)
        {
            StandardError.WriteLine($"vmm: {machine}: {e.Message}");
            return ExitCode.CheckFailed;
        }
    }

    /// <summary>The machine may have another working directory.</summary>
    private static MigrationUri Resolve(MigrationUri uri)
        => uri.Scheme is MigrationScheme.File or MigrationScheme.Unix ? MigrationUri.Parse($"{uri.ToString().Split(':')[0]}:{Path.GetFullPath(uri.Target)}") : uri;

    private static MigrationInfo Await(QmpConnection connection)
    {
        while (true)
        {
            MigrationInfo info = connection.Execute("query-migrate", new JsonObject()).Deserialize(QmpJson.Default.MigrationInfo)!;
            if (info.Status is "completed" or "failed" or "cancelled")
            {
                return info;
            }

            Thread.Sleep(_poll);
        }
    }

    private static int Report(string machine, MigrationUri uri, QmpConnection connection, MigrationInfo info)
    {
        if (info.Status != "completed")
        {
            StandardError.WriteLine($"vmm: {machine}: {info.ErrorDesc ?? "the migration was cancelled"}");
            return ExitCode.CheckFailed;
        }

        string size = string.Create(CultureInfo.InvariantCulture, $"{info.Transferred:N0} bytes in {info.TotalTime} ms");
        if (connection.Execute("query-status", new JsonObject()).Deserialize(QmpJson.Default.StatusInfo)!.Status == "postmigrate")
        {
            string downtime = info.Phases is { } phases
                ? string.Create(CultureInfo.InvariantCulture, $"{phases.Downtime:N0} us")
                : string.Create(CultureInfo.InvariantCulture, $"{info.Downtime} ms");
            Console.Out.WriteLine($"{machine} runs at {uri}: {size}; the guest stood still for {downtime}.");
            connection.Execute("quit", new JsonObject());
        }
        else
        {
            Console.Out.WriteLine($"{machine} is in {uri}: {size}. Here it is paused: `vmm qmp {machine} cont` lets it go on, `vmm stop {machine}` ends it.");
        }

        return ExitCode.Success;
    }
}
