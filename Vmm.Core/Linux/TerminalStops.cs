using Tmds.Linux;

namespace Vmm.Core.Linux;

/// <summary>What a terminal does to a process that uses it from the background (SIGTTIN, SIGTTOU; "job control" in POSIX).</summary>
public static unsafe class TerminalStops
{
    /// <summary>From now on such a use fails or succeeds, and does not stop the process: its guest runs on.</summary>
    // ORDER: before the first thread is started, which inherits this. Blocked rather than only ignored: the runtime sets the terminal's
    // mode by itself after SIGCONT, and puts SIGTTOU's default action back afterwards.
    public static void Ignore()
    {
        // sigset_t of glibc: 1024 bits, signal N at bit N - 1.
        ulong* set = stackalloc ulong[16];
        new Span<ulong>(set, 16).Clear();
        set[0] = (1UL << ((int)LibC.SIGTTIN - 1)) | (1UL << ((int)LibC.SIGTTOU - 1));
        _ = Libc.pthread_sigmask(Libc.SIG_BLOCK, set, null);
    }
}
