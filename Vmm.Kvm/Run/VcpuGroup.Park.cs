using Vmm.Core.Linux;

namespace Vmm.Kvm.Run;

// What the vCPU threads call themselves.
internal sealed partial class VcpuGroup
{
    /// <summary>Called by a vCPU thread at a clean point. Returns true when the guest is to be entered, false when the thread is to end.</summary>
    internal bool Park(VcpuThread thread)
    {
        ReadState(thread);
        int alerts;
        Action? then = null;
        lock (_lock)
        {
            thread.Activity = VcpuActivity.Parked;
            alerts = _alerts;
            if (!IsAnyRunning)
            {
                (_then, then) = (null, _then);
                _isCalling = then is not null;
            }

            if (!_isCalling)
            {
                Monitor.PulseAll(_lock);
            }
        }

        if (then is not null)
        {
            then();
            lock (_lock)
            {
                _isCalling = false;
                _calls++;
                Monitor.PulseAll(_lock);
            }
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

    /// <summary>See <see cref="Departure"/>. The thread still counts as running, so nobody goes on before it has done.</summary>
    private void ReadState(VcpuThread thread)
    {
        if (_departure is not { } state || thread.Activity != VcpuActivity.Running)
        {
            return;
        }

        thread.ReadRegisters(state);
        bool isLast;
        lock (_lock)
        {
            thread.Activity = VcpuActivity.Leaving;
            isLast = !Array.Exists(_threads, t => t.Activity == VcpuActivity.Running);
        }

        if (isLast)
        {
            foreach (VcpuThread each in _threads)
            {
                each.CompleteState(state, others: _threads.Length > 1);
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
}
