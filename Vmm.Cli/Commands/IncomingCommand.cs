using System.CommandLine;
using Vmm.Cli.Machines;
using Vmm.Core.Linux;
using Vmm.Core.Network;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm incoming</c>: what a live update starts. People have no use for it.</summary>
internal sealed class IncomingCommand : Command
{
    private readonly Option<string[]> _net = new("--net") { Description = "A back end in place of the source's, by id.", DefaultValueFactory = _ => [] };

    private readonly Option<int> _channel = new("--channel") { Description = "The descriptor to the source.", DefaultValueFactory = _ => 3 };

    private readonly Option<int> _job = new("--job") { Description = "The descriptor to whoever waits.", DefaultValueFactory = _ => 4 };

    private readonly Option<int> _waiter = new("--waiter") { Description = "The descriptor with which this process waits.", DefaultValueFactory = _ => -1 };

    private readonly Option<int?> _back = new("--back") { Description = "The descriptor by which the machine goes back to where it came from." };

    private readonly Option<int?> _helper = new("--helper") { Description = "The child that the machine comes back from." };

    public IncomingCommand() : base(LiveUpdate.Command, "Takes a machine over from the process that starts it.")
    {
        Hidden = true;
        foreach (Option option in (Option[])[_net, _channel, _job, _waiter, _back, _helper])
        {
            Add(option);
        }

        SetAction(Receive);
    }

    private int Receive(ParseResult parsed)
    {
        int channel = parsed.GetValue(_channel);
        int line = parsed.GetValue(_job);
        if (!InheritedDescriptors.Contains(channel) || !InheritedDescriptors.Contains(line))
        {
            throw new UserErrorException($"vmm incoming is started by vmm itself, with descriptors {channel} and {line}: use vmm live-update.");
        }

        using Job job = Job.Adopt(line, parsed.GetValue(_waiter));
        IncomingOptions options = new() { Replacements = [.. parsed.GetRequiredValue(_net).Select(NetworkDeviceOptions.Parse)] };
        return MachineRunner.Receive(
            new MessageSocket(channel),
            job,
            options,
            parsed.GetValue(_back) is { } back ? new MessageSocket(back) : null,
            parsed.GetValue(_helper) is { } helper ? new ChildProcess(helper) : null,
            CommandLine.CreateLogger(parsed));
    }
}
