namespace Vmm.Core.Linux;

/// <summary>
/// A thread that may run before all others of the host for a moment: real time, or where that is not allowed the most that is. Made for a pause
/// of less than a millisecond that a guest waits for; a thread that computes for longer must not keep it.
/// </summary>
/// <param name="threadId">The kernel's number of the thread; the process may be any that the caller may change.</param>
public sealed unsafe class UrgentThread(int threadId)
{
    /// <summary>For threads that come and go.</summary>
    public const int Low = 1;

    /// <summary>For the one that must be able to stop those.</summary>
    public const int High = 2;

    private const int BestNice = -20;
    private const int SCHED_BATCH = 3;

    private int _policy = -1;
    private sched_param _parameters;
    private int _nice;

    /// <summary>False when the thread has the priority that it had: the user may not raise it (CAP_SYS_NICE, RLIMIT_RTPRIO, RLIMIT_NICE).</summary>
    /// <param name="level">Also for a thread that is raised to another level.</param>
    public bool TryRaise(int level)
    {
        sched_param before = _parameters;
        (int policy, int nice) = (_policy, _nice);
        if (policy < 0)
        {
            policy = Libc.sched_getscheduler(threadId);
            nice = Libc.getpriority(Libc.PRIO_PROCESS, threadId);
            if (policy < 0 || Libc.sched_getparam(threadId, &before) < 0)
            {
                return false;
            }
        }

        sched_param urgent = new() { sched_priority = level };
        if (Libc.sched_setscheduler(threadId, Libc.SCHED_FIFO | Libc.SCHED_RESET_ON_FORK, &urgent) < 0
            && Libc.setpriority(Libc.PRIO_PROCESS, threadId, BestNice) < 0)
        {
            return false;
        }

        (_policy, _parameters, _nice) = (policy, before, nice);
        return true;
    }

    /// <summary>
    /// What follows has time: the thread runs when a processor is free, and takes none from a thread that runs (SCHED_BATCH). Until
    /// <see cref="Lower"/>.
    /// </summary>
    public void StandBack()
    {
        if (_policy < 0)
        {
            sched_param now = default;
            _policy = Libc.sched_getscheduler(threadId);
            _ = Libc.sched_getparam(threadId, &now);
            _parameters = now;
            _nice = Libc.getpriority(Libc.PRIO_PROCESS, threadId);
        }

        sched_param none = default;
        _ = Libc.sched_setscheduler(threadId, SCHED_BATCH, &none);
        _ = Libc.setpriority(Libc.PRIO_PROCESS, threadId, _nice);
    }

    /// <summary>Gives it the priority back that it had before.</summary>
    public void Lower()
    {
        if (_policy < 0)
        {
            return;
        }

        sched_param before = _parameters;
        _ = Libc.sched_setscheduler(threadId, _policy, &before);
        _ = Libc.setpriority(Libc.PRIO_PROCESS, threadId, _nice);
        _policy = -1;
    }
}
