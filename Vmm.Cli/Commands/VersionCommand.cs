using System.CommandLine;
using System.CommandLine.Invocation;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm version</c>, and <c>vmm --version</c>.</summary>
internal sealed class VersionCommand : Command
{
    public VersionCommand() : base("version", "Prints the version.") => Action = CreateAction();

    public static SynchronousCommandLineAction CreateAction() => new Print();

    private sealed class Print : SynchronousCommandLineAction
    {
        public override int Invoke(ParseResult parseResult)
        {
            parseResult.InvocationConfiguration.Output.WriteLine(ProgramVersion.Text);
            return ExitCode.Success;
        }
    }
}
