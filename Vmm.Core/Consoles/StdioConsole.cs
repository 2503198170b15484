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
    private readonly termios? _before;
    private ForegroundWatch? _watch;
    private TerminalGuard? _guard;

    /// <param name="loop">Where it runs.</param>
    /// <param name="lifetime">Ended by Ctrl-A x.</param>
    /// <param name="input">The descriptor to read from.</param>
    /// <param name="output">The descriptor to write to.</param>
    /// <param name="before">The terminal's mode before another process, from which the console comes, has changed it.</param>
    public StdioConsole(EventLoop loop, MachineLifetime lifetime, int input = StandardInput, int output = StandardOutput, termios? before = null) : base(loop, "stdio")
    {
        _before = before;
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

    /// <summary>The mode in a state, if it is that of this process's terminal.</summary>
    public static unsafe termios? ReadMode(in ConsoleState state)
    {
        using FileDescriptor standard = new(StandardInput, ownsHandle: false);
        return state.Terminal != 0 && state.Terminal == TerminalMode.GetDevice(standard) ? System.Runtime.InteropServices.MemoryMarshal.Read<termios>(state.Mode) : null;
    }

    /// <summary>The terminal stays as it is.</summary>
    public override void Abandon()
    {
        _guard?.Abandon();
        Dispose();
    }

    protected override unsafe ConsoleState Save()
    {
        ConsoleState state = base.Save();
        if (_guard is not null)
        {
            termios mode = _guard.Saved;
            state.Terminal = TerminalMode.GetDevice(_input);
            state.Mode = new ReadOnlySpan<byte>(&mode, sizeof(termios)).ToArray();
        }

        return state;
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
            _guard = new TerminalGuard(_input, _before ?? mode);
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
