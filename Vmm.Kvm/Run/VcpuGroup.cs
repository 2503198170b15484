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
    private readonly VcpuThread[] _threads;

    // Runtime glue
    private readonly object _lock = new();

    // Volatile state
    private Target _target = Target.Paused;
    private volatile bool _attention = true;

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

            while (_threads.Any(t => t.Activity == VcpuActivity.Running))
            {
                Monitor.Wait(_lock);
            }
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
        lock (_lock)
        {
            thread.Activity = VcpuActivity.Parked;
            Monitor.PulseAll(_lock);
            while (_target == Target.Paused)
            {
                Monitor.Wait(_lock);
            }

            if (_target == Target.Stopped)
            {
                return false;
            }

            // Nobody kicks a parked thread: what is left of an earlier kick is stale.
            thread.ClearImmediateExit();
            thread.Activity = VcpuActivity.Running;
            return true;
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
