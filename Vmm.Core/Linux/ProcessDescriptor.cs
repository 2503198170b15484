using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>A process that stays the same one whoever gets its number later (pidfd_open(2)).</summary>
public sealed unsafe class ProcessDescriptor : FileDescriptor
{
    private const int SYS_pidfd_send_signal = 424;
    private const int SYS_pidfd_open = 434;

    private ProcessDescriptor(int fd, int process) : base(fd) => Process = process;

    /// <summary>The number that it had when it was opened.</summary>
    public int Process { get; }

    /// <summary>Null when there is no such process.</summary>
    public static ProcessDescriptor? TryOpen(int process)
    {
        int fd = (int)Libc.syscall(SYS_pidfd_open, process, 0, 0, 0);
        return fd >= 0 ? new ProcessDescriptor(fd, process)
            : LibC.errno == LibC.ESRCH ? null
            : throw new LinuxException("pidfd_open", $"process {process}", LibC.errno);
    }

    /// <summary>False when it has ended.</summary>
    /// <param name="signal">A number of signal(7).</param>
    public bool TrySignal(int signal)
        => Libc.syscall(SYS_pidfd_send_signal, Number, signal, 0, 0) == 0
            || (LibC.errno == LibC.ESRCH ? false : throw new LinuxException("pidfd_send_signal", $"process {Process}", LibC.errno));

    /// <summary>Waits for its end. False when the time is up.</summary>
    public bool WaitForExit(TimeSpan limit)
    {
        long end = Environment.TickCount64 + (long)limit.TotalMilliseconds;
        while (true)
        {
            pollfd poll = new() { fd = Number, events = LibC.POLLIN };
            int ready = Libc.poll(&poll, 1, (int)Math.Clamp(end - Environment.TickCount64, 0, int.MaxValue));
            if (ready >= 0)
            {
                return ready > 0;
            }

            if (LibC.errno != LibC.EINTR)
            {
                throw new LinuxException("poll", $"process {Process}", LibC.errno);
            }
        }
    }
}
