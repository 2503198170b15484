namespace Vmm.Kvm.Run;

/// <summary>
/// Starts, pauses, resumes and stops all vCPU threads of a machine.
/// </summary>
/// <remarks>
/// Protocol. Under the lock: what is wanted of all (<see cref="_target"/>) and what each thread does (parked, running, gone). A thread
/// changes its own activity; it becomes running only while running is wanted. <see cref="IsAttentionWanted"/> is the one flag that a
/// running thread looks at before each entry. To stop: set the flag, then immediate_exit, then signal; a thread that comes out of
/// KVM_RUN clears immediate_exit, then looks at the flag (with a full fence between on both sides), so one of the two always meets it.
/// A signal that comes too late costs one extra EINTR.
///
/// Who waits for what takes microseconds looks at it for a moment before going to sleep (<see cref="Moment"/>), as being woken takes longer: the
/// one who pauses, and threads that were alerted, for the one who resumes.
/// </remarks>
internal sealed class VcpuGroup : IDisposable
{
    private enum Target
    {
        Paused,
        Running,
        Stopped,
    }

    // Fixed configuration
    private static readonly TimeSpan s_alertTime = TimeSpan.FromMicroseconds(500);
    private readonly VcpuThread[] _threads;

    // Runtime glue
    private readonly object _lock = new();

    // Volatile state
    private volatile Target _target = Target.Paused;
    private volatile bool _attention = true;
    private volatile int _alerts;

    internal VcpuGroup(int count, Func<int, VcpuGroup, VcpuThread> create)
    {
        _threads = new VcpuThread[count];
        for (int i = 0; i < count; i++)
        {
            _threads[i] = create(i, this);
        }
    }

    /// <summary>Starts the threads, and waits until all have parked.</summary>
    internal void Start()
    {
        foreach (VcpuThread thread in _threads)
        {
            thread.Start();
        }

        lock (_lock)
        {
            while (Array.Exists(_threads, t => t.Activity == VcpuActivity.Starting))
            {
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>See <see cref="VcpuThread.ThreadId"/>.</summary>
    internal int[] ThreadIds => [.. _threads.Select(t => t.ThreadId)];

    internal bool IsAttentionWanted => _attention;

    /// <summary>True when all vCPUs are parked and stay so.</summary>
    internal bool IsPaused
    {
        get
        {
            lock (_lock)
            {
                return _target == Target.Paused && Array.TrueForAll(_threads, t => t.Activity == VcpuActivity.Parked);
            }
        }
    }

    internal void Pause()
    {
        ThrowIfOnVcpuThread(nameof(Pause));
        lock (_lock)
        {
            if (_target == Target.Running)
            {
                _target = Target.Paused;
                KickRunning();
            }
        }

        // No looking again and again before the wait: the one that is waited for may need this very CPU, and a thread of lower priority
        // than this one would not get it.
        lock (_lock)
        {
            while (IsAnyRunning)
            {
                Monitor.Wait(_lock);
            }
        }
    }

    private bool IsAnyRunning => Array.Exists(_threads, t => t.Activity == VcpuActivity.Running);

    /// <summary>Tells the parked threads that a resume is about to come: they wait for it without sleeping, for a moment.</summary>
    internal void Alert()
    {
        lock (_lock)
        {
            _alerts++;
            Monitor.PulseAll(_lock);
        }
    }

    internal void Resume()
    {
        lock (_lock)
        {
            if (_target == Target.Paused)
            {
                _target = Target.Running;
                _attention = false;
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Has a parked thread call KVM_RUN without entering the guest; see <see cref="VcpuThread.Settle"/>. Returns when it has.</summary>
    internal void Settle(int index)
    {
        VcpuThread thread = _threads[index];
        lock (_lock)
        {
            thread.MustSettle = true;
            Monitor.PulseAll(_lock);
        }

        lock (_lock)
        {
            while (thread.MustSettle && thread.Activity == VcpuActivity.Parked)
            {
                Monitor.Wait(_lock);
            }
        }
    }

    /// <summary>Raises the priority of all threads or gives it back.</summary>
    internal void SetUrgent(bool urgent)
    {
        lock (_lock)
        {
            foreach (VcpuThread thread in _threads)
            {
                if (thread.Activity is VcpuActivity.Parked or VcpuActivity.Running)
                {
                    thread.SetUrgent(urgent);
                }
            }
        }
    }

    /// <summary>Tells all threads to end; does not wait.</summary>
    internal void RequestStop()
    {
        lock (_lock)
        {
            if (_target != Target.Stopped)
            {
                _target = Target.Stopped;
                KickRunning();
                Monitor.PulseAll(_lock);
            }
        }
    }

    /// <summary>Called by a vCPU thread at a clean point. Returns true when the guest is to be entered, false when the thread is to end.</summary>
    internal bool Park(VcpuThread thread)
    {
        int alerts;
        lock (_lock)
        {
            thread.Activity = VcpuActivity.Parked;
            alerts = _alerts;
            Monitor.PulseAll(_lock);
        }

        while (true)
        {
            lock (_lock)
            {
                while (_target == Target.Paused && _alerts == alerts && !thread.MustSettle)
                {
                    Monitor.Wait(_lock);
                }

                if (_target == Target.Stopped)
                {
                    return false;
                }

                if (_target == Target.Running)
                {
                    // Nobody kicks a parked thread: what is left of an earlier kick is stale.
                    thread.ClearImmediateExit();
                    thread.Activity = VcpuActivity.Running;
                    return true;
                }

                if (thread.MustSettle)
                {
                    thread.Settle();
                    thread.MustSettle = false;
                    Monitor.PulseAll(_lock);
                    continue;
                }

                alerts = _alerts;
            }

            var moment = new Moment(s_alertTime);
            while (_target == Target.Paused && _alerts == alerts && !moment.IsOver)
            {
            }
        }
    }

    /// <summary>Called by a vCPU thread as its last act.</summary>
    internal void Leave(VcpuThread thread)
    {
        lock (_lock)
        {
            thread.Activity = VcpuActivity.Gone;
            Monitor.PulseAll(_lock);
        }
    }

    /// <summary>True once the threads are to end.</summary>
    internal bool IsStopping
    {
        get
        {
            lock (_lock)
            {
                return _target == Target.Stopped;
            }
        }
    }

    /// <summary>Stops and joins all threads.</summary>
    public void Dispose()
    {
        ThrowIfOnVcpuThread(nameof(Dispose));
        RequestStop();
        foreach (VcpuThread thread in _threads)
        {
            thread.Join();
        }
    }

    private void KickRunning()
    {
        // ORDER: the flag before immediate_exit before the signal; see the protocol above.
        _attention = true;
        Interlocked.MemoryBarrier();
        foreach (VcpuThread thread in _threads)
        {
            if (thread.Activity == VcpuActivity.Running)
            {
                thread.Kick();
            }
        }
    }

    private void ThrowIfOnVcpuThread(string what)
    {
        if (_threads.Any(t => t.IsCurrent))
        {
            throw new InvalidOperationException($"{what} was called on a vCPU thread, which would wait for itself. Call it from another thread.");
        }
    }
}
