using System.CommandLine;
using System.CommandLine.Help;
using System.CommandLine.Invocation;

namespace Vmm.Cli.Commands;

/// <summary>A command whose help ends with examples.</summary>
internal interface IExamples
{
    string Examples { get; }
}

/// <summary>The usual help, then the command's examples, and for <c>vmm</c> itself the table of exit codes.</summary>
internal sealed class HelpWithExamples(HelpAction standard) : SynchronousCommandLineAction
{
    public override bool Terminating => true;

    public override int Invoke(ParseResult parseResult)
    {
        int result = standard.Invoke(parseResult);
        TextWriter output = parseResult.InvocationConfiguration.Output;
        Command command = parseResult.CommandResult.Command;
        if (command is IExamples { Examples: var examples })
        {
            output.WriteLine("Examples:");
            output.WriteLine(examples.ReplaceLineEndings("\n  ").Insert(0, "  "));
            output.WriteLine();
        }

        if (command is RootCommand or RunCommand)
        {
            output.WriteLine(ExitCode.Table);
        }

        return result;
    }
}
