using Tmds.Linux;
using Vmm.Core.Events;
using Vmm.Core.Linux;
using Vmm.Core.Machine;

namespace Vmm.Core.Consoles;

/// <summary>
/// Standard input and output. A terminal goes to raw mode while the machine runs, and Ctrl-A begins a command to the VMM; a pipe or a file
/// passes every byte. In the background of a shell the terminal is the shell's, and there is no input until the process is in front again.
/// </summary>
internal sealed class StdioConsole : DescriptorConsole
{
    private const int StandardInput = 0;
    private const int StandardOutput = 1;

    private readonly FileDescriptor _input;
    private readonly FileDescriptor _output;
    private readonly bool _terminal;
    private ForegroundWatch? _watch;
    private TerminalGuard? _guard;

    /// <param name="loop">Where it runs.</param>
    /// <param name="lifetime">Ended by Ctrl-A x.</param>
    /// <param name="input">The descriptor to read from.</param>
    /// <param name="output">The descriptor to write to.</param>
    public StdioConsole(EventLoop loop, MachineLifetime lifetime, int input = StandardInput, int output = StandardOutput) : base(loop, "stdio")
    {
        _input = Duplicate(input);
        _output = OpenNonBlocking(output);
        _terminal = LibC.isatty(input) == 1;
        Input = new ConsoleInput(loop, _terminal ? new ConsoleEscapes(() => Quit(lifetime), PrintHelp) : null);
        Output.Attach(_output);
    }

    public override void Start(IConsoleReceiver receiver)
    {
        Input!.Start(receiver);
        if (_terminal)
        {
            _watch = new ForegroundWatch(_input, OnForeground);
        }
        else
        {
            Input.Attach(_input);
        }
    }

    public override void Dispose()
    {
        _watch?.Dispose();
        base.Dispose();
        _guard?.Dispose();
        _input.Dispose();
        _output.Dispose();
    }

    /// <summary>Called by the watch, one call at a time.</summary>
    private void OnForeground(bool foreground)
    {
        if (!foreground)
        {
            Input!.Detach();
            return;
        }

        // ORDER: raw first, so that the keys are not read as a line.
        if (_guard is not null)
        {
            _guard.MakeRaw();
        }
        else if (TerminalMode.TryGet(_input, out termios mode))
        {
            _guard = new TerminalGuard(_input, mode);
        }

        Input!.Attach(_input);
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
