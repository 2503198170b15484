using System.CommandLine;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm bench</c>: measurements that need nothing but this binary.</summary>
internal sealed class BenchCommand : Command
{
    public BenchCommand() : base("bench", "Measures, and checks meanwhile that nothing breaks.") => Add(new BenchLiveUpdateCommand());
}
