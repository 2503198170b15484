using System.CommandLine;
using System.Globalization;
using Vmm.Cli.Qmp;
using Vmm.Core.Linux;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm stop</c>: ends a machine: by its power button, then by QMP, then by force.</summary>
internal sealed class StopCommand : Command, IExamples
{
    private const int SIGKILL = 9;
    private const int SIGTERM = 15;

    private static readonly TimeSpan _afterSignal = TimeSpan.FromSeconds(2);

    private readonly Argument<string> _machine = new("name") { Description = "The VM's name, or the path of its QMP socket." };

    private readonly Option<double> _timeout = new("--timeout")
    {
        Description = "How long the guest may take to power off before the VM is ended; 0 to end it at once. What does not end then gets SIGTERM, and 2 s later SIGKILL.",
        HelpName = "seconds",
        DefaultValueFactory = _ => 10,
    };

    public StopCommand() : base("stop", "Presses the power button of a running VM, ends it if that does not help, and waits until its process is gone.")
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
        vmm stop vm --timeout 60
        vmm stop vm --timeout 0
        """;

    private int Stop(ParseResult parsed)
    {
        string machine = parsed.GetRequiredValue(_machine);
        TimeSpan limit = TimeSpan.FromSeconds(parsed.GetValue(_timeout));
        using ProcessDescriptor? process = End(machine, limit);
        if (process is null || process.WaitForExit(_afterSignal))
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

    /// <summary>Asks the guest to power off, and then the machine to end. Its process, which may have ended already; null when that is certain.</summary>
    private static ProcessDescriptor? End(string machine, TimeSpan limit)
    {
        string path = QmpConnection.GetPath(machine);
        try
        {
            // At least a moment: --timeout 0 means no patience with the guest, not with an answer.
            using QmpConnection connection = QmpConnection.Open(machine, limit < _afterSignal ? _afterSignal : limit);
            long deadline = Environment.TickCount64 + (long)limit.TotalMilliseconds;
            if (limit > TimeSpan.Zero && TryPressPowerButton(connection))
            {
                if (WaitForEnd(connection, deadline))
                {
                    return null;
                }

                StandardError.WriteLine(string.Create(CultureInfo.InvariantCulture, $"vmm: {machine}: the guest has not powered off within {limit.TotalSeconds} s; it is ended."));
            }

            ProcessDescriptor? process = FindProcess(connection);
            connection.Execute("quit");
            return process;
        }
        catch (Exception e) when (e is UserErrorException or TimeoutException && SocketOwner.Find(path) is { } owner)
        {
            // It listens, and does not answer.
            return owner;
        }
    }

    /// <summary>False when the guest would not notice.</summary>
    private static bool TryPressPowerButton(QmpConnection connection)
    {
        try
        {
            connection.Execute("system_powerdown");
            return true;
        }
        catch (QmpException)
        {
            return false;
        }
    }

    /// <summary>Waits for the machine's end, in whichever process it is by then. False when the time is up.</summary>
    private static bool WaitForEnd(QmpConnection connection, long deadline)
    {
        while (true)
        {
            ProcessDescriptor? process;
            try
            {
                process = FindProcess(connection);
            }
            catch (UserErrorException)
            {
                return true; // it has closed the connection, as at its end
            }

            using (process)
            {
                if (process is not null && !process.WaitForExit(TimeSpan.FromMilliseconds(Math.Max(0, deadline - Environment.TickCount64))))
                {
                    return false;
                }
            }
        }
    }

    private static ProcessDescriptor? FindProcess(QmpConnection connection)
        => ProcessDescriptor.TryOpen(connection.Execute("x-query-process").GetProperty("pid").GetInt32());
}
