using Vmm.Core.Events;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>A pseudo-terminal of our own; people attach with screen or picocom to the path in the description.</summary>
internal sealed class PtyConsole : DescriptorConsole
{
    private readonly PseudoTerminal _terminal;

    public PtyConsole(EventLoop loop, PseudoTerminal terminal) : base(loop, $"pty {terminal.SlavePath}")
    {
        _terminal = terminal;
        Input = new ConsoleInput(loop);
        Input.Attach(terminal.Master);
        Output.Attach(terminal.Master);
    }

    protected override IReadOnlyList<FileDescriptor> Files => [_terminal.Master, _terminal.Slave];

    public override void Dispose()
    {
        base.Dispose();
        _terminal.Dispose();
    }
}
