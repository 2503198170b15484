using System.CommandLine;
using Vmm.Cli.Machines;
using Vmm.Core.Linux;
using Vmm.Core.Network;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm incoming</c>: what a live update starts. People have no use for it.</summary>
internal sealed class IncomingCommand : Command
{
    private const int Channel = 3;
    private const int JobLine = 4;

    private readonly Option<string[]> _net = new("--net") { Description = "A back end in place of the source's, by id.", DefaultValueFactory = _ => [] };

    public IncomingCommand() : base(LiveUpdate.Command, "Takes a machine over from the process that starts it.")
    {
        Hidden = true;
        Add(_net);
        SetAction(Receive);
    }

    private int Receive(ParseResult parsed)
    {
        if (!InheritedDescriptors.Contains(Channel) || !InheritedDescriptors.Contains(JobLine))
        {
            throw new UserErrorException("vmm incoming is started by vmm itself, with descriptors 3 and 4: use vmm live-update.");
        }

        using Job job = Job.Adopt(JobLine);
        NetworkDeviceOptions[] replacements = [.. parsed.GetRequiredValue(_net).Select(NetworkDeviceOptions.Parse)];
        return MachineRunner.Receive(new MessageSocket(Channel), job, new IncomingOptions { Networks = replacements }, CommandLine.CreateLogger(parsed));
    }
}
