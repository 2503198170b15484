using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>termios(3): raw mode, in which every key goes through as it is.</summary>
internal static unsafe class TerminalMode
{
    /// <summary>Bytes of a termios.</summary>
    public static int Size => sizeof(termios);

    /// <summary>Which terminal it is: st_rdev, 0 for none.</summary>
    public static ulong GetDevice(FileDescriptor terminal)
    {
        stat status;
        return LibC.fstat(terminal.Number, &status) == 0 ? (ulong)status.st_rdev : 0;
    }

    /// <summary>False when the terminal has gone.</summary>
    public static bool TryGet(FileDescriptor terminal, out termios mode)
    {
        fixed (termios* target = &mode)
        {
            return LibC.tcgetattr(terminal.Number, target) == 0;
        }
    }

    /// <summary>False when the terminal has gone; nothing is left to do then.</summary>
    public static bool TrySet(FileDescriptor terminal, termios mode)
    {
        int result;
        do
        {
            result = LibC.tcsetattr(terminal.Number, (int)LibC.TCSANOW, &mode);
        }
        while (result < 0 && LibC.errno == LibC.EINTR);

        return result == 0;
    }

    /// <summary>Nothing happens when the terminal has gone.</summary>
    /// <param name="terminal">The terminal.</param>
    /// <param name="processOutput">Whether LF still becomes CR LF: right where our own log lines go to the same terminal.</param>
    public static void MakeRaw(FileDescriptor terminal, bool processOutput)
    {
        if (!TryGet(terminal, out termios mode))
        {
            return;
        }

        mode.c_iflag &= ~(LibC.IGNBRK | LibC.BRKINT | LibC.PARMRK | LibC.ISTRIP | LibC.INLCR | LibC.IGNCR | LibC.ICRNL | LibC.IXON);
        mode.c_oflag = processOutput ? mode.c_oflag | LibC.OPOST : mode.c_oflag & ~LibC.OPOST;
        mode.c_lflag &= ~(LibC.ECHO | LibC.ECHONL | LibC.ICANON | LibC.ISIG | LibC.IEXTEN);
        mode.c_cflag = (mode.c_cflag & ~(LibC.CSIZE | LibC.PARENB)) | LibC.CS8;
        mode.c_cc[LibC.VMIN] = 1;
        mode.c_cc[LibC.VTIME] = 0;
        TrySet(terminal, mode);
    }
}
