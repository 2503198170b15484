using Vmm.Core.Machine;

namespace Vmm.Cli.Machines;

// Stopping and going on. Any thread but a vCPU's or a device's own.
internal sealed partial class Machine
{
    private readonly Lock _runLock = new(); // whoever holds it decides whether the guest runs
    private volatile RunState _runState = RunState.PreLaunch;
    private RunState _stateBefore; // the hand-over

    public RunState RunState => Lifetime.HasEnded ? RunState.Shutdown : _runState;

    public int CpuCount => _options.CpuCount;

    /// <summary>When the guest began.</summary>
    public DateTimeOffset Started { get; private set; }

    /// <summary>Guest RAM, in bytes.</summary>
    public ulong MemorySize => _memory!.Size;

    /// <summary>The vCPUs' threads as the kernel numbers them; 0 for one that is not there yet.</summary>
    public IReadOnlyList<int> CpuThreads => _hypervisor!.CpuThreads;

    /// <summary>Lets the guest run for the first time.</summary>
    public void Start()
    {
        lock (_runLock)
        {
            _hypervisor!.Start(_options.CpuCount, _entry!);
            _runState = RunState.Running;
            Started = DateTimeOffset.UtcNow;
        }
    }

    /// <summary>Stops the guest and its devices where they are. False when it does not run.</summary>
    public bool Pause()
    {
        lock (_runLock)
        {
            if (RunState != RunState.Running)
            {
                return false;
            }

            Freeze();
            _runState = RunState.Paused;
            return true;
        }
    }

    /// <summary>Goes on after <see cref="Pause"/>. False when it runs already.</summary>
    /// <exception cref="UserErrorException">It is not for this process to let the guest run.</exception>
    public bool Resume()
    {
        lock (_runLock)
        {
            switch (RunState)
            {
                case RunState.Running:
                    return false;
                case RunState.Paused:
                    Reclaim();
                    _runState = RunState.Running;
                    Thaw();
                    return true;
                case RunState.PostMigrate:
                    throw new UserErrorException("Another process runs this guest now: it was handed over and can't go on here.");
                case var state:
                    throw new UserErrorException($"The machine can't go on now: its state is '{state.GetName()}'.");
            }
        }
    }

    /// <summary>Presses the power button. False, and nothing is done, when the guest does not run, or has not asked to hear of it.</summary>
    public bool PressPowerButton()
    {
        if (RunState != RunState.Running || !_hypervisor!.IsUnmasked(MachineLayout.EventGsi))
        {
            return false;
        }

        _power!.PressButton();
        return true;
    }

    /// <summary>Looks at the machine while it stands still; the guest notices a gap at most.</summary>
    /// <exception cref="UserErrorException">The machine is being handed over, or has ended.</exception>
    public T WhilePaused<T>(Func<T> look)
    {
        lock (_runLock)
        {
            RunState state = RunState;
            if (state is not (RunState.Running or RunState.Paused))
            {
                throw new UserErrorException($"The machine has no state to look at now: it is '{state.GetName()}'.");
            }

            if (state == RunState.Running)
            {
                Freeze();
            }

            try
            {
                return look();
            }
            finally
            {
                if (state == RunState.Running)
                {
                    Thaw();
                }
            }
        }
    }

    /// <summary>It is to be handed over: stops its queues, if it runs; <see cref="StopCpus"/> follows.</summary>
    /// <exception cref="UserErrorException">It is no machine that could be handed over now.</exception>
    /// <returns>Whether it ran.</returns>
    public bool BeginHandOver()
    {
        lock (_runLock)
        {
            _stateBefore = RunState;
            if (_stateBefore is not (RunState.Running or RunState.Paused))
            {
                throw new UserErrorException($"The machine can't be handed over now: its state is '{_stateBefore.GetName()}'.");
            }

            if (_stateBefore == RunState.Running)
            {
                StopQueues();
            }

            _runState = RunState.FinishMigrate;
            return _stateBefore == RunState.Running;
        }
    }

    /// <summary>Stops the guest, if it does not stand still already.</summary>
    /// <param name="then">Called when it does, on any thread, before this returns; does not throw.</param>
    public void StopCpus(Action? then = null) => _hypervisor!.Pause(then);

    /// <summary>It goes on here after all, if it ran.</summary>
    public void ResumeAsBefore()
    {
        lock (_runLock)
        {
            if (_runState is not (RunState.FinishMigrate or RunState.InMigrate))
            {
                return;
            }

            _runState = _stateBefore;
            if (_stateBefore == RunState.Running)
            {
                Thaw();
            }
        }
    }

    /// <summary>It was written to where nobody runs it; here it goes on when the user says so, unless it goes on there before.</summary>
    public void Keep()
    {
        lock (_runLock)
        {
            _runState = RunState.Paused;
            foreach (MachineDevice device in _devices)
            {
                device.Yield();
            }
        }
    }

    private void Reclaim()
    {
        List<MachineDevice> taken = [];
        foreach (MachineDevice device in _devices)
        {
            bool wasGivenUp = device.IsGivenUp;
            if (device.Reclaim() is { } reason)
            {
                // All or nothing: whoever has the rest may want these too.
                taken.ForEach(other => other.Yield());
                throw new UserErrorException($"The machine can't go on here: {device.Id}: {reason}.");
            }

            if (wasGivenUp)
            {
                taken.Add(device);
            }
        }
    }

    /// <summary>Another process has it; for good.</summary>
    private void CompleteHandOver()
    {
        lock (_runLock)
        {
            _runState = RunState.PostMigrate;
        }
    }

    /// <summary>For the moment when the guest stands still: its threads come before all others.</summary>
    public void SetUrgent(bool urgent) => _hypervisor!.SetUrgent(urgent);

    /// <summary>It goes on in a moment: its vCPUs wait for that without sleeping.</summary>
    public void Alert() => _hypervisor!.Alert();

    /// <summary>Returns when no vCPU runs and no queue moves. With <see cref="_runLock"/>; the run state is the caller's business.</summary>
    // ORDER: the queues first, while the guest still runs: no interrupt comes once a vCPU has left the guest and its state may be read. What
    // the guest writes to registers meanwhile is in the devices all the same; a doorbell is looked at when the queues go on.
    private void Freeze()
    {
        StopQueues();
        StopCpus();
    }

    // ORDER: from the last slot on: a disk may have to wait for the host, and frames move meanwhile.
    private void StopQueues()
    {
        for (int i = _devices.Count - 1; i >= 0; i--)
        {
            _devices[i].Transport.Pause();
        }
    }

    /// <summary>Undoes <see cref="Freeze"/>.</summary>
    private void Thaw()
    {
        // The vCPUs first: they are what is waited for. A doorbell that rings before its queue goes on is not lost: each is looked at.
        _hypervisor!.Resume();
        foreach (MachineDevice device in _devices)
        {
            device.Transport.Resume();
        }
    }
}
