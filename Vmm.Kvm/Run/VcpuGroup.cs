using Vmm.Core.Linux;
using Vmm.Kvm.State;

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
/// Being woken takes longer than what is done while the guest stands still. So the last thread that parks goes on with the work itself, and
/// threads that were alerted look out for the one who resumes for a moment before they sleep (<see cref="Moment"/>).
/// </remarks>
internal sealed partial class VcpuGroup : IDisposable
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
    private volatile KvmMachineState? _departure;
    private Action? _then;
    private bool _isCalling;
    private int _calls;

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

    /// <summary>
    /// The state that the threads fill in whenever they are paused, before they are; null for none. Each reads its own vCPU's as soon as it is out
    /// of the guest; the last one out completes them all.
    /// </summary>
    internal KvmMachineState? Departure
    {
        get => _departure;
        set => _departure = value;
    }

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

    /// <summary>Returns when all threads have parked, and <paramref name="then"/> has been called.</summary>
    /// <param name="then">Called once, as soon as all have parked, by the last one: nobody has to be woken for it. Does not throw.</param>
    internal void Pause(Action? then = null)
    {
        ThrowIfOnVcpuThread(nameof(Pause));
        lock (_lock)
        {
            if (_target == Target.Running)
            {
                _target = Target.Paused;
                (_then, then) = (then, null);
                KickRunning();
            }

            for (int calls = _calls; (IsAnyRunning || _isCalling) && _calls == calls;)
            {
                Monitor.Wait(_lock);
            }

            if (_then is not null)
            {
                // The threads have ended instead.
                (_then, then) = (null, _then);
            }
        }

        then?.Invoke();
    }

    private bool IsAnyRunning => Array.Exists(_threads, t => t.Activity is VcpuActivity.Running or VcpuActivity.Leaving);

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
        if (thread.IsCurrent)
        {
            thread.Settle();
            return;
        }

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
                if (thread.Activity is VcpuActivity.Parked or VcpuActivity.Running or VcpuActivity.Leaving)
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
