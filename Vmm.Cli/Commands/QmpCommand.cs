using System.CommandLine;
using Vmm.Cli.Qmp;
using Vmm.Cli.Shell;
using Vmm.Core.Linux;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm qmp</c>: a shell for a running machine's QMP socket, or one command.</summary>
internal sealed class QmpCommand : Command, IExamples
{
    private readonly Argument<string> _machine = new("name") { Description = "The VM's name, or the path of its socket." };

    private readonly Argument<string[]> _words = new("command")
    {
        Description = "One command and its arguments as KEY=VALUE, a value as JSON or plain text; without it, a shell.",
        Arity = ArgumentArity.ZeroOrMore,
    };

    public QmpCommand() : base("qmp", "Talks to a running VM: one command, or a shell.")
    {
        Add(_machine);
        Add(_words);
        SetAction(Talk);
    }

    public string Examples => """
        vmm qmp vm
        vmm qmp vm query-status
        vmm qmp vm set_link name=net0 up=false
        echo query-commands | vmm qmp vm
        """;

    private int Talk(ParseResult parsed)
    {
        string machine = parsed.GetRequiredValue(_machine);
        using QmpConnection connection = QmpConnection.Open(machine);
        if (parsed.GetValue(_words) is [{ } command, .. var arguments])
        {
            return Execute(connection, command, arguments);
        }

        using QmpShell shell = new(connection, Console.IsInputRedirected || Console.IsOutputRedirected ? new PlainLines() : MakeTerminal(connection, machine));
        return shell.Run();
    }

    private static int Execute(QmpConnection connection, string command, string[] arguments)
    {
        try
        {
            Console.Out.WriteLine(JsonText.Indent(connection.Execute(command, CommandText.ParseArguments(arguments))));
            return ExitCode.Success;
        }
        catch (QmpException e)
        {
            StandardError.WriteLine($"vmm: {e.ErrorClass}: {e.Message}");
            return ExitCode.CheckFailed;
        }
    }

    private static TerminalLines MakeTerminal(QmpConnection connection, string machine)
    {
        string[] commands = [.. connection.Execute("query-commands").EnumerateArray().Select(command => command.GetProperty("name").GetString()!).Order(StringComparer.Ordinal)];
        Console.Out.WriteLine("COMMAND KEY=VALUE ..., or JSON; Tab completes, Ctrl-D ends.");
        return new TerminalLines($"({machine}) ", commands);
    }
}
