using System.Runtime.InteropServices;
using Microsoft.Extensions.Logging;
using Tmds.Linux;
using Vmm.Core.Bus;
using Vmm.Core.Hypervisor;
using Vmm.Core.Linux;
using Vmm.Core.Machine;
using Vmm.Kvm.Native;
using Vmm.Kvm.Report;
using Vmm.Kvm.State;

namespace Vmm.Kvm.Run;

/// <summary>One vCPU's thread: enters the guest, handles what it comes out for, parks when asked. The exits are in the other file.</summary>
internal sealed unsafe partial class VcpuThread
{
    private const int StackSize = 512 << 10;

    // Fixed configuration
    private readonly KvmVcpu _vcpu;
    private readonly VcpuGroup _group;
    private readonly AddressBus _ports;
    private readonly AddressBus _mmio;
    private readonly MachineLifetime _lifetime;
    private readonly CrashReporter _reporter;
    private readonly ILogger _log;

    // Runtime glue
    private readonly Thread _thread;
    private readonly kvm_run* _run;
    private int _threadId;
    private UrgentThread? _urgency;

    // Volatile state
    private volatile VcpuActivity _activity;
    private volatile bool _mustSettle;
    private volatile bool _hasRead;

    internal VcpuThread(KvmVcpu vcpu, VcpuGroup group, VirtualMachineConfig config, CrashReporter reporter)
    {
        _vcpu = vcpu;
        _group = group;
        _ports = config.Ports;
        _mmio = config.Mmio;
        _lifetime = config.Lifetime;
        _log = config.Log;
        _reporter = reporter;
        _run = vcpu.Run;
        _thread = new Thread(Body, StackSize) { IsBackground = true, Name = $"vcpu{vcpu.Index}" };
    }

    /// <summary>Written by this thread alone, under the group's lock.</summary>
    internal VcpuActivity Activity
    {
        get => _activity;
        set => _activity = value;
    }

    /// <summary>Set under the group's lock by whoever wants <see cref="Settle"/>, cleared by this thread.</summary>
    internal bool MustSettle
    {
        get => _mustSettle;
        set => _mustSettle = value;
    }

    /// <summary>As of gettid(2); 0 before the thread has begun.</summary>
    internal int ThreadId => Volatile.Read(ref _threadId);

    internal bool IsCurrent => Thread.CurrentThread == _thread;

    internal void Start() => _thread.StartOrExplain();

    /// <summary>Raises the thread's priority or gives it back. Only after it has parked for the first time.</summary>
    internal void SetUrgent(bool urgent)
    {
        _urgency ??= new UrgentThread(_threadId);
        if (urgent)
        {
            _ = _urgency.TryRaise(UrgentThread.Low);
        }
        else
        {
            _urgency.Lower();
        }
    }

    internal void Join()
    {
        if ((_thread.ThreadState & ThreadState.Unstarted) == 0)
        {
            _thread.Join();
        }
    }

    /// <summary>Makes a running thread come out of KVM_RUN or not go in. Under the group's lock.</summary>
    internal void Kick()
    {
        Volatile.Write(ref _run->immediate_exit, 1);
        KickSignal.Send(_threadId);
    }

    internal void ClearImmediateExit() => Volatile.Write(ref _run->immediate_exit, 0);

    /// <summary>The first part of the vCPU's state, on this thread. What fails is tried again by whoever wants the state, and reported there.</summary>
    internal void ReadRegisters(KvmMachineState state)
    {
        try
        {
            _hasRead = false;
            state.IsRead(_vcpu.Index) = false;
            _vcpu.SaveRegisters(ref state.Vcpus[_vcpu.Index]);
            _hasRead = true;
        }
        catch (Exception e) when (e is LinuxException or InvalidOperationException)
        {
            _log.LogDebug(e, "vCPU {Index}'s state can't be read", _vcpu.Index);
        }
    }

    /// <summary>The second part, when no vCPU runs any more; on any thread.</summary>
    /// <param name="state">Of the machine.</param>
    /// <param name="others">There are others that may have run since the first part.</param>
    internal void CompleteState(KvmMachineState state, bool others)
    {
        try
        {
            if (_hasRead)
            {
                _vcpu.CompleteState(ref state.Vcpus[_vcpu.Index], others);
                state.IsRead(_vcpu.Index) = true;
            }
        }
        catch (Exception e) when (e is LinuxException or InvalidOperationException)
        {
            _log.LogDebug(e, "vCPU {Index}'s state can't be read", _vcpu.Index);
        }
    }

    /// <summary>The exception policy: a device never throws; should one, the machine ends and says so.</summary>
    private void Body()
    {
        try
        {
            _threadId = Libc.gettid();
            _vcpu.SetSignalMask(KickSignal.BlockInThisThread());

            // What KVM does once, when a vCPU is run for the first time, such as to make the root of its page tables, is done before it counts.
            Settle();
            if (_group.Park(this))
            {
                Loop();
            }
        }
#pragma warning disable CA1031 // The last frame of a thread: whatever it is must end this machine, not the process.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            _log.LogError(exception, "vCPU {Index} failed", _vcpu.Index);
            _lifetime.End(new GuestEnd(GuestEndCause.HostError, Report: $"vCPU {_vcpu.Index} failed: {exception}"));
        }
        finally
        {
            // A thread only leaves when the machine has ended: the others come out of the guest at once.
            _group.RequestStop();
            _group.Leave(this);
        }
    }

    /// <summary>
    /// Makes KVM put an interrupt of the LAPIC's timer, which has run out while the vCPU was parked, where it can be read. KVM does so
    /// on the way out of the guest, or on the way to it when a signal waits: then it turns back before it enters.
    /// </summary>
    internal void Settle()
    {
        // ORDER: the signal before KVM_RUN, or the guest is entered. It is blocked in this thread, so it waits.
        KickSignal.Send(_threadId);
        ClearImmediateExit();
        _ = KvmIoctl.ioctl(_vcpu.Number, KvmIoctl.KVM_RUN, null); // EINTR
        KickSignal.Consume();
    }

    private void Loop()
    {
        int fd = _vcpu.Number;
        uint request = KvmIoctl.KVM_RUN;

        // True when KVM has nothing to finish: after EINTR. An I/O exit is only complete when KVM_RUN has been called again.
        bool clean = true;
        while (!_lifetime.HasEnded)
        {
            if (_group.IsAttentionWanted)
            {
                if (_group.IsStopping)
                {
                    return;
                }

                if (clean)
                {
                    if (!_group.Park(this))
                    {
                        return;
                    }

                    KickSignal.Consume();
                    continue; // Much may have happened meanwhile.
                }

                _run->immediate_exit = 1;
            }

            if (KvmIoctl.ioctl(fd, request, null) >= 0)
            {
                clean = false;
                if (!HandleExit())
                {
                    return;
                }

                continue;
            }

            int errno = Marshal.GetLastPInvokeError();
            if (errno == LibC.EINTR)
            {
                TakeKick();
            }
            else if (errno != LibC.EAGAIN) // EAGAIN: an application processor got its INIT or SIPI.
            {
                End(GuestEndCause.HostError, $"KVM_RUN failed: {Marshal.GetPInvokeErrorMessage(errno)} (errno {errno})");
                return;
            }

            clean = true;
        }
    }

    private void TakeKick()
    {
        // ORDER: clear immediate_exit, then look at the group's flag (in the loop); see VcpuGroup.
        ClearImmediateExit();
        Interlocked.MemoryBarrier();
        if (!_group.IsAttentionWanted)
        {
            KickSignal.Consume(); // Otherwise after the pause, which is waited for.
        }
    }

    /// <summary>The report goes with the end; whoever waits for that shows it.</summary>
    private void End(GuestEndCause cause, string headline) => _lifetime.End(new GuestEnd(cause, Report: _reporter.Write(_vcpu, headline)));
}
