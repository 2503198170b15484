using System.Globalization;
using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Core.Consoles;

/// <summary>A pair of pseudo-terminal descriptors (pty(7)), non-blocking at the master's end, raw at the slave's.</summary>
internal sealed unsafe class PseudoTerminal : IDisposable
{
    private const string Advice = "Is devpts mounted? Use another --console.";

    public PseudoTerminal()
    {
        Master = FileDescriptor.Open("/dev/ptmx", LibC.O_RDWR | LibC.O_NOCTTY | LibC.O_NONBLOCK, Advice);
        try
        {
            int locked = 0, number;
            LinuxException.ThrowIfFailed(LibC.ioctl(Master.Number, LibC.TIOCSPTLCK, &locked), "ioctl(TIOCSPTLCK)", "/dev/ptmx", Advice);
            LinuxException.ThrowIfFailed(LibC.ioctl(Master.Number, LibC.TIOCGPTN, &number), "ioctl(TIOCGPTN)", "/dev/ptmx", Advice);
            SlavePath = string.Create(CultureInfo.InvariantCulture, $"/dev/pts/{number}");
            Slave = FileDescriptor.Open(SlavePath, LibC.O_RDWR | LibC.O_NOCTTY, Advice);
        }
        catch
        {
            Master.Dispose();
            throw;
        }

        TerminalMode.MakeRaw(Slave, processOutput: false);
    }

    private PseudoTerminal(FileDescriptor master, FileDescriptor slave)
    {
        int number;
        LinuxException.ThrowIfFailed(LibC.ioctl(master.Number, LibC.TIOCGPTN, &number), "ioctl(TIOCGPTN)", "the pty that was handed over");
        SlavePath = string.Create(CultureInfo.InvariantCulture, $"/dev/pts/{number}");
        Master = master;
        Slave = slave;
    }

    /// <summary>Goes on with one that another process has opened.</summary>
    public static PseudoTerminal Adopt(FileDescriptor master, FileDescriptor slave) => new(master, slave);

    public FileDescriptor Master { get; }

    /// <summary>Kept open, so that the master sees no hang-up while nobody else has opened it.</summary>
    public FileDescriptor Slave { get; }

    public string SlavePath { get; }

    public void Dispose()
    {
        Slave.Dispose();
        Master.Dispose();
    }
}
