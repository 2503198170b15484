using Tmds.Linux;
using Vmm.Core.Linux;

namespace Vmm.Kvm.Run;

/// <summary>
/// The signal that gets a vCPU thread out of KVM_RUN. It is blocked in the thread and unblocked by KVM alone, while in KVM_RUN
/// (KVM_SET_SIGNAL_MASK), so that it has no handler, is never lost between a look at a flag and the entry, and interrupts nothing else.
/// </summary>
internal static unsafe class KickSignal
{
    // glibc keeps 32 and 33 for itself, the .NET runtime uses 34.
    private const int Number = 36;

    /// <summary>Blocks the signal in the calling thread. Returns the mask for KVM_RUN: the thread's, without this signal.</summary>
    internal static ulong BlockInThisThread()
    {
        sigset_t kick = Set(), before;
        int errno = LibC.pthread_sigmask(LibC.SIG_BLOCK, &kick, &before);
        if (errno != 0)
        {
            throw new LinuxException("pthread_sigmask", $"signal {Number}", errno);
        }

        // SAFETY: glibc's sigset_t begins with the kernel's 64-bit one.
        return *(ulong*)&before & ~(1UL << (Number - 1));
    }

    internal static void Send(int threadId) => _ = Libc.tgkill((int)LibC.getpid(), threadId, Number);

    /// <summary>Takes the signals that are pending for the calling thread.</summary>
    internal static void Consume()
    {
        sigset_t kick = Set();
        timespec now = default;
        while (LibC.sigtimedwait(&kick, null, &now) > 0)
        {
        }
    }

    private static sigset_t Set()
    {
        sigset_t set;
        _ = LibC.sigemptyset(&set);
        _ = LibC.sigaddset(&set, Number);
        return set;
    }
}
