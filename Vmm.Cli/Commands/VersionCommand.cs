using System.CommandLine;
using System.CommandLine.Invocation;
using System.Reflection;

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
            Version? version = Assembly.GetExecutingAssembly().GetName().Version;
            parseResult.InvocationConfiguration.Output.WriteLine($"vmm {version?.ToString(3)}");
            return ExitCode.Success;
        }
    }
}
