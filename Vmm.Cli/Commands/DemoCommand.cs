using System.CommandLine;
using Vmm.Cli.Demo;
using Vmm.Cli.Machines;
using Vmm.Core.Machine;

namespace Vmm.Cli.Commands;

/// <summary><c>vmm demo</c>: a guest boots and answers on the network, in a few seconds, with nothing to set up.</summary>
internal sealed class DemoCommand : Command, IExamples
{
    private readonly Option<bool> _plain = new("--plain") { Description = "Lines instead of a table; the default when the output is no terminal." };

    public DemoCommand() : base("demo", "Boots the built-in guest on a network of its own, pings it, moves it to a fresh process meanwhile, shows what happens, and ends. Nothing on the host changes.")
    {
        Add(_plain);
        SetAction(Show);
    }

    public string Examples => """
        vmm demo
        vmm demo | cat
        """;

    private int Show(ParseResult parsed)
    {
        DemoPrerequisites.Require(parsed, "vmm demo");
        MachineLifetime lifetime = new();
        using StopSignals signals = new(lifetime);
        signals.Catch();
        IDemoView view = parsed.GetValue(_plain) || Console.IsOutputRedirected ? new PlainDemoView(Console.Out) : new LiveDemoView();
        return view.Show(() =>
        {
            bool clean;
            using (DemoSession session = new(view, lifetime, CommandLine.CreateLogger(parsed)))
            {
                clean = session.Run();
            }

            if (lifetime.HasEnded)
            {
                GuestEnd end = lifetime.Completion.GetAwaiter().GetResult();
                view.Fact("end", end.Cause == GuestEndCause.Stopped ? "stopped" : $"the guest ended by itself: {end.Cause}. {end.Report}");
                return ExitCode.From(end, signals.Received) is var code and not ExitCode.Success ? code : ExitCode.CheckFailed;
            }

            view.Fact("end", clean ? "every request was answered; the guest, the TAP and the namespace are gone" : "answers were lost, see above");
            return clean ? ExitCode.Success : ExitCode.CheckFailed;
        });
    }
}
