using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

namespace Vmm.Core.Consoles;

/// <summary>
/// Standard input and output. A terminal goes to raw mode while the machine runs, and Ctrl-A begins a command to the VMM; a pipe or a file
/// passes every byte. In the background of a shell there is no input: reading would stop the process.
/// </summary>
internal sealed class StdioConsole : DescriptorConsole
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;

    private readonly FileDescriptor _input;
    private readonly FileDescriptor _output;
    private readonly bool _interactive;
    private readonly bool _readable;
    private TerminalGuard? _guard;

    /// <param name="loop">Where it runs.</param>
    /// <param name="lifetime">Ended by Ctrl-A x.</param>
    /// <param name="input">The descriptor to read from.</param>
    /// <param name="output">The descriptor to write to.</param>
    public StdioConsole(EventLoop loop, MachineLifetime lifetime, int input = StandardInput, int output = StandardOutput) : base(loop, "stdio")
    {
        _input = Duplicate(input);
        _output = OpenNonBlocking(output);
        bool terminal = LibC.isatty(input) == 1;
        // Below 0: a terminal that is not this process's own, which has no foreground for us.
        int foreground = (int)LibC.tcgetpgrp(input);
        _readable = !terminal || foreground < 0 || foreground == (int)LibC.getpgrp();
        _interactive = terminal && _readable;
        Input = new ConsoleInput(loop, _interactive ? new ConsoleEscapes(() => Quit(lifetime), PrintHelp) : null);
        Output.Attach(_output);
    }

    public override void Start(IConsoleReceiver receiver)
    {
        if (_interactive)
        {
            _guard = new TerminalGuard(_input);
        }

        if (_readable)
        {
            Input!.Attach(_input);
            Input.Start(receiver);
        }
    }

    public override void Dispose()
    {
        base.Dispose();
        _guard?.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    private static void Quit(MachineLifetime lifetime) => lifetime.End(new GuestEnd(GuestEndCause.Stopped, Report: "Ended from the console (Ctrl-A x)."));

    private void PrintHelp()
        => Output.Write("\r\nCtrl-A x       end the machine\r\nCtrl-A Ctrl-A  send Ctrl-A to the guest\r\nCtrl-A h       this help\r\n"u8);

    private static FileDescriptor Duplicate(int fd)
    {
        using FileDescriptor standard = new(fd, ownsHandle: false);
        return standard.Duplicate();
    }

    /// <summary>
    /// O_NONBLOCK belongs to the open file, which the shell shares: so a terminal or a pipe is opened once more for ourselves. What
    /// can't be (a socket, a terminal of another user) is written to when poll(2) calls it writable.
    /// </summary>
    private static FileDescriptor OpenNonBlocking(int fd)
    {
        mode_t type = FileType(fd);
        if (type == LibC.S_IFCHR || type == LibC.S_IFIFO)
        {
            try
            {
                return FileDescriptor.Open($"/proc/self/fd/{fd}", LibC.O_WRONLY | LibC.O_NONBLOCK | LibC.O_NOCTTY);
            }
            catch (LinuxException)
            {
                return Duplicate(fd);
            }
        }

        return Duplicate(fd);
    }

    private static unsafe mode_t FileType(int fd)
    {
        stat status;
        return LibC.fstat(fd, &status) == 0 ? status.st_mode & LibC.S_IFMT : default;
    }
}
