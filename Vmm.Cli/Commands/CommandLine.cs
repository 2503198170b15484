using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;
using System.CommandLine.Parsing;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Vmm.Cli.Machines;
using Vmm.Core.Linux;

namespace Vmm.Cli.Commands;

/// <summary>The command line as a whole: all commands, and the one place where an exception becomes a sentence and an exit code.</summary>
internal static class CommandLine
{
    private static readonly Option<string> _logLevel = CreateLogLevel();

    public static int Run(string[] args)
    {
        TerminalStops.Ignore();

        // ORDER: before anything opens a descriptor. Where it fails there is nowhere to say so.
        if (!StandardDescriptors.TryEnsure())
        {
            return ExitCode.HostError;
        }

        AppDomain.CurrentDomain.UnhandledException += OnUnhandledException;
        ParseResult parsed = CreateRoot().Parse(args);
        if (parsed.Action is ParseErrorAction)
        {
            StandardError.WriteLine($"vmm: {DescribeError(parsed)} See `{HelpCommand(parsed.CommandResult)}`.");
            return ExitCode.Usage;
        }

        try
        {
            // Somebody may ask for counters before there is a machine, or where there is none: SIGUSR1 must not end the process.
            using PosixSignalRegistration counters = PosixSignalRegistration.Create(MachineRunner.CountersSignal, context => context.Cancel = true);

            // Other signals belong to the commands; exceptions to the handler below.
            return parsed.Invoke(new InvocationConfiguration { EnableDefaultExceptionHandler = false, ProcessTerminationTimeout = null });
        }
#pragma warning disable CA1031 // The last resort: whatever it is, the user gets a sentence.
        catch (Exception e)
#pragma warning restore CA1031
        {
            StandardError.WriteLine($"vmm: {ErrorText.Describe(e)}");
            if (GetLogLevel(parsed) <= LogLevel.Debug)
            {
                StandardError.WriteLine(e.ToString());
            }

            return ExitCode.HostError;
        }
    }

    /// <summary>The logger that <c>--log-level</c> asks for.</summary>
    public static StandardErrorLogger CreateLogger(ParseResult parsed) => new(GetLogLevel(parsed));

    private static LogLevel GetLogLevel(ParseResult parsed) => parsed.GetValue(_logLevel) switch
    {
        "debug" => LogLevel.Debug,
        "info" => LogLevel.Information,
        "error" => LogLevel.Error,
        _ => LogLevel.Warning,
    };

    private static RootCommand CreateRoot()
    {
        RootCommand root = new("A small virtual machine monitor on KVM: boots a guest and puts it on the network.")
        {
            new RunCommand(),
            new DemoCommand(),
            new DemoGuestCommand(),
            new BenchCommand(),
            new LiveUpdateCommand(),
            new MigrateCommand(),
            new ListCommand(),
            new QmpCommand(),
            new StopCommand(),
            new DoctorCommand(),
            new InspectCommand(),
            new IncomingCommand(),
            new VersionCommand(),
            _logLevel,
        };
        foreach (Option option in root.Options)
        {
            switch (option)
            {
                case HelpOption help:
                    help.Action = new HelpWithExamples((HelpAction)help.Action!);
                    break;
                case VersionOption version:
                    version.Action = VersionCommand.CreateAction();
                    break;
            }
        }

        return root;
    }

    private static Option<string> CreateLogLevel()
    {
        Option<string> option = new("--log-level")
        {
            Description = "What goes to stderr besides errors; debug adds stack traces.",
            DefaultValueFactory = _ => "warn",
            Recursive = true,
        };
        return option.AcceptOnlyFromAmong("debug", "info", "warn", "error");
    }

    /// <summary>On a thread of the runtime's own, such as one of its pool: no more can be said than that, and nobody else will.</summary>
    private static void OnUnhandledException(object sender, UnhandledExceptionEventArgs arguments)
    {
        if (arguments.ExceptionObject is OutOfMemoryException exception)
        {
            StandardError.WriteLine($"vmm: {ErrorText.Describe(exception)}");
            Environment.Exit(ExitCode.HostError);
        }
    }

    /// <summary>One sentence on one line.</summary>
    private static string DescribeError(ParseResult parsed)
    {
        if (parsed.UnmatchedTokens is [{ } token, ..])
        {
            return $"'{token}' is no {(token.StartsWith('-') ? "option" : "command or argument")} here.";
        }

        string message = string.Join(' ', parsed.Errors[0].Message.Split((char[])['\r', '\n', '\t', ' '], StringSplitOptions.RemoveEmptyEntries));
        return message[^1] is '.' or '?' ? message : message + ".";
    }

    private static string HelpCommand(CommandResult command)
        => (command.Parent is CommandResult parent ? HelpCommand(parent).Replace(" --help", $" {command.Command.Name}") : "vmm") + " --help";
}
