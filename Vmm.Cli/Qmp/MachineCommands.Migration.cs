using System.Text.Json;
using Vmm.Cli.Machines;
using Vmm.Cli.Qmp.Replies;
using Vmm.Core.Network;
using Vmm.Migration.Live;

namespace Vmm.Cli.Qmp;

// Going to another process.
internal sealed partial class MachineCommands
{
    private const string LiveUpdateCommand = "live-update";

    private void RegisterMigration(QmpCommands commands)
    {
        commands.AddLong(LiveUpdateCommand, LiveUpdate);
        commands.Add("migrate", Migrate);
        commands.Add("migrate-incoming", arguments => throw new QmpException("'-incoming' was not specified on the command line"));
        commands.Add("migrate_cancel", arguments =>
        {
            arguments.End();
            _migrations.Cancel();
        });
        commands.AddQuery("query-migrate", () => MigrationInfo.From(_migrations.Status), QmpJson.Default.MigrationInfo);
        commands.AddQuery("query-backend-transfer", DescribeTransfer, QmpJson.Default.BackendTransferInfoArray);
        commands.AddQuery("query-migrate-parameters", () => MigrationParameters.From(_migrations.Timeouts), QmpJson.Default.MigrationParameters);
        commands.Add("migrate-set-parameters", SetParameters);
    }

    /// <summary>Answers what was asked of the process that the machine came from.</summary>
    private void AnswerPending()
    {
        foreach (QmpCall call in _server.PendingCalls)
        {
            if (call.Command == LiveUpdateCommand && _migrations.Status.Times is { } times)
            {
                call.Complete(new LiveUpdateReply(true, [], Environment.ProcessId, MigrationPhases.From(times)), QmpJson.Default.LiveUpdateReply);
            }
            else
            {
                call.Fail(new QmpException($"The machine went to another process before '{call.Command}' was done"));
            }
        }
    }

    private void LiveUpdate(QmpArguments arguments, QmpCall call)
    {
        LiveUpdateRequest request = new()
        {
            Binary = arguments.OptionalString("binary") ?? ProgramFile.Path,
            Transfer = ParseTransfer(arguments.OptionalValue("backend-transfer"), BackendTransfer.All),
            Replacements = [.. (arguments.OptionalStrings("net") ?? []).Select(ParseNet)],
            KeepsProcess = ParseMode(arguments.OptionalString("mode")),
            DryRun = arguments.OptionalBoolean("dry-run") ?? false,
        };
        arguments.End();
        _migrations.Begin(request, (result, failure) =>
        {
            if (failure is not null)
            {
                call.Fail(failure);
            }
            else if (result!.Verdict!.IsAccepted || request.DryRun)
            {
                call.Complete(new LiveUpdateReply(result.Verdict.IsAccepted, result.Verdict.Reasons, Environment.ProcessId, null), QmpJson.Default.LiveUpdateReply);
            }
            else
            {
                call.Fail(new QmpException($"The new process refuses the machine: {string.Join("; ", result.Verdict.Reasons)}"));
            }
        });
    }

    private void Migrate(QmpArguments arguments)
    {
        MigrateRequest request = new()
        {
            Uri = ArrivalCommands.Parse(arguments.OptionalString("uri") ?? throw new QmpException("need 'uri' argument")),
            Transfer = ParseTransfer(arguments.OptionalValue("backend-transfer"), BackendTransfer.None),
        };
        arguments.End();
        _migrations.Begin(request);
    }

    /// <summary>true: every device that can; false or []: none; a list of ids: these.</summary>
    private static BackendTransfer ParseTransfer(JsonElement value, BackendTransfer absent) => value.ValueKind switch
    {
        JsonValueKind.Undefined => absent,
        JsonValueKind.True => BackendTransfer.All,
        JsonValueKind.False => BackendTransfer.None,
        JsonValueKind.Array => new BackendTransfer([.. value.EnumerateArray().Select(item => item.ValueKind == JsonValueKind.String
            ? item.GetString()!
            : throw QmpArguments.Wrong("backend-transfer", "boolean or array of strings"))]),
        _ => throw QmpArguments.Wrong("backend-transfer", "boolean or array of strings"),
    };

    private static bool ParseMode(string? mode) => mode switch
    {
        null or "transfer" => false,
        "exec" => true,
        _ => throw new QmpException($"Parameter 'mode' expects transfer or exec, not '{mode}'"),
    };

    private static NetworkDeviceOptions ParseNet(string text)
        => NetworkDeviceOptions.TryParse(text, out NetworkDeviceOptions? options, out string? error)
            ? options.Id is null ? throw new QmpException($"Parameter 'net': {text} lacks id=, which says whose back end it replaces")
                : options.Fds.Count > 0 ? throw new QmpException($"Parameter 'net': {text} names descriptors, which the new process does not get: use ifname=")
                : options
            : throw new QmpException(error);

    private BackendTransferInfo[] DescribeTransfer()
        => [.. _machine.Devices.Where(device => device.BackendDescription is not null)
            .Select(device => new BackendTransferInfo(device.Id, device.BackendDescription!, device.TransferRefusal is null, device.TransferRefusal))];

    private void SetParameters(QmpArguments arguments)
    {
        MigrationTimeouts now = _migrations.Timeouts;
        _migrations.Timeouts = new MigrationTimeouts
        {
            Verdict = Time(arguments, "verdict-timeout", now.Verdict),
            Prepare = Time(arguments, "prepare-timeout", now.Prepare),
            State = Time(arguments, "state-timeout", now.State),
            Stall = Time(arguments, "stall-timeout", now.Stall),
            Switchover = Time(arguments, "downtime-limit", now.Switchover),
        };
        arguments.End();
    }

    private static TimeSpan Time(QmpArguments arguments, string name, TimeSpan now)
        => arguments.OptionalInteger(name) is not { } milliseconds ? now
            : milliseconds is >= 1 and <= 2_000_000 ? TimeSpan.FromMilliseconds(milliseconds)
            : throw new QmpException($"Parameter '{name}' expects a number of milliseconds from 1 to 2000000");
}
