using System.CommandLine;
using System.Globalization;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm stop</c>: ends a machine, if need be by force.</summary>
internal sealed class StopCommand : Command, IExamples
{
    private const int SIGKILL = 9;
    private const int SIGTERM = 15;

    private static readonly TimeSpan _afterSignal = TimeSpan.FromSeconds(2);

    private readonly Argument<string> _machine = new("name") { Description = "The VM's name, or the path of its QMP socket." };

    private readonly Option<double> _timeout = new("--timeout")
    {
        Description = "How long the VM may take before its process gets SIGTERM, and 2 s later SIGKILL.",
        HelpName = "seconds",
        DefaultValueFactory = _ => 10,
    };

    public StopCommand() : base("stop", "Ends a running VM and waits until its process is gone. The guest is not asked.")
    {
        _timeout.Validators.Add(result =>
        {
            if (result.Tokens is [{ Value: var text }]
                && !(double.TryParse(text, NumberStyles.Float, CultureInfo.InvariantCulture, out double seconds) && seconds is >= 0 and <= 86_400))
            {
                result.AddError($"--timeout {text} is no number of seconds from 0 to 86400.");
            }
        });
        Add(_machine);
        Add(_timeout);
        SetAction(Stop);
    }

    public string Examples => """
        vmm stop vm
        vmm stop vm --timeout 1
        """;

    private int Stop(ParseResult parsed)
    {
        string machine = parsed.GetRequiredValue(_machine);
        TimeSpan limit = TimeSpan.FromSeconds(parsed.GetValue(_timeout));
        using ProcessDescriptor? process = Quit(machine, limit);
        if (process is null || process.WaitForExit(limit))
        {
            return ExitCode.Success;
        }

        foreach ((int signal, string name) in ((int, string)[])[(SIGTERM, "SIGTERM"), (SIGKILL, "SIGKILL")])
        {
            StandardError.WriteLine($"vmm: {machine} still runs: {name} to process {process.Process}.");
            if (!process.TrySignal(signal) || process.WaitForExit(_afterSignal))
            {
                return ExitCode.Success;
            }
        }

        throw new UserErrorException($"Process {process.Process} of {machine} does not end: it waits in the kernel for something.");
    }

    /// <summary>Asks the machine to end. Its process, which may have ended already; null when that is certain.</summary>
    private static ProcessDescriptor? Quit(string machine, TimeSpan limit)
    {
        string path = QmpConnection.GetPath(machine);
        try
        {
            // At least a moment: --timeout 0 means no patience with the guest's end, not with an answer.
            using QmpConnection connection = QmpConnection.Open(machine, limit < _afterSignal ? _afterSignal : limit);
            ProcessDescriptor? process = ProcessDescriptor.TryOpen(connection.Execute("x-query-process").GetProperty("pid").GetInt32());
            connection.Execute("quit");
            return process;
        }
        catch (Exception e) when (e is UserErrorException or TimeoutException && SocketOwner.Find(path) is { } owner)
        {
            // It listens, and does not answer.
            return owner;
        }
    }
}
