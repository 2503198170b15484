using System.Diagnostics;
using Vmm.Core.State;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;

namespace Vmm.Kvm;

/// <summary>Saving and restoring what KVM keeps. RAM and the devices in the VMM are others' business.</summary>
public sealed partial class KvmVirtualMachine
{
    private static readonly StateKind<KvmVcpuState> s_cpuKind = new(version: 1, example: () => new() { Xsave = new byte[1], Msrs = new MsrBuffer(1) });
    private static readonly StateKind<KvmVmState> s_machineKind = new(version: 1);

    /// <summary>What the sections are made of.</summary>
    public static IReadOnlyList<StateKind> StateKinds { get; } = [s_cpuKind, s_machineKind];

    /// <inheritdoc/>
    public IReadOnlyList<IStateSection> CreateStateSections()
    {
        KvmMachineState state = CreateState();
        _group!.Departure = state;
        if (!_hasRun)
        {
            foreach (KvmVcpu vcpu in _vcpus)
            {
                // Nobody waits yet, and what is done for the second time is done faster.
                vcpu.LearnState();
                vcpu.Rehearse();
            }
        }

        return [.. Enumerable.Range(0, _vcpus.Length).Select(i => new CpuSection(this, state, i)), new VmSection(this, state)];
    }

    /// <inheritdoc/>
    public IReadOnlyList<IStateSection> CreateSnapshotSections()
        => [.. Enumerable.Range(0, _vcpus.Length).Select(i => new CpuSnapshotSection(this, _group!.Departure!, i))];

    /// <inheritdoc/>
    public void TakeSnapshot()
    {
        KvmMachineState state = _group!.Departure!;
        if (!IsPaused)
        {
            _group.Pause(then: _group.Resume);

            // Also of a vCPU that has not come to run since: a device may have interrupted it.
            state.Outdate();
            return;
        }

        for (int i = 0; i < _vcpus.Length; i++)
        {
            _vcpus[i].SaveState(ref state.Vcpus[i]);
        }
    }

    private sealed class CpuSnapshotSection(KvmVirtualMachine machine, KvmMachineState state, int cpu) : StateSection<KvmVcpuState>("cpu", s_cpuKind, cpu)
    {
        protected override ref KvmVcpuState Collect() => ref state.Vcpus[Instance];

        protected override KvmVcpuState Prepare() => state.Vcpus[Instance];

        protected override void Apply(ref KvmVcpuState loaded)
        {
            machine.ThrowIfRunning();
            machine._vcpus[Instance].Preset(in loaded);

            // Once through KVM_RUN, without entering the guest: it makes the root of the page tables that these registers name.
            machine._group!.Settle(Instance);
            machine._vcpus[Instance].LearnState();
        }
    }

    private sealed class CpuSection(KvmVirtualMachine machine, KvmMachineState state, int cpu) : StateSection<KvmVcpuState>("cpu", s_cpuKind, cpu)
    {
        protected override ref KvmVcpuState Collect()
        {
            machine.ThrowIfRunning();
            machine.SaveCpu(state, Instance);
            return ref state.Vcpus[Instance];
        }

        protected override KvmVcpuState Prepare() => state.Vcpus[Instance];

        protected override void Apply(ref KvmVcpuState loaded) => state.Vcpus[Instance] = loaded;
    }

    // ORDER: the last of the sections. Saved last, so that kvmclock is read as close as can be to what comes next; applied last, as the
    // vCPUs' state goes to KVM between the interrupt controllers' and the clock's.
    private sealed class VmSection(KvmVirtualMachine machine, KvmMachineState state) : StateSection<KvmVmState>("kvm", s_machineKind)
    {
        protected override ref KvmVmState Collect()
        {
            machine.ThrowIfRunning();
            machine._vm.SaveState(ref state.Vm);
            return ref state.Vm;
        }

        protected override KvmVmState Prepare() => default;

        protected override string? Check(in KvmVmState loaded) => loaded.HasPit && !machine._vm.HasPit ? "has_pit: this machine has no PIT" : null;

        protected override void Apply(ref KvmVmState loaded)
        {
            state.Vm = loaded;
            machine.RestoreState(state);
        }
    }

    /// <summary>An empty state of the right sizes; the guest may run meanwhile.</summary>
    internal KvmMachineState CreateState()
    {
        ThrowIfNoCpus();
        return new KvmMachineState([.. _vcpus.Select(v => v.CreateState())]);
    }

    /// <summary>Reads everything; the guest is paused. Changes nothing: the guest may be resumed afterwards.</summary>
    internal void SaveState(KvmMachineState state)
    {
        ThrowIfRunning();
        for (int i = 0; i < _vcpus.Length; i++)
        {
            SaveCpu(state, i);
        }

        // ORDER: after the vCPUs, so that kvmclock is read last, as close as can be to what comes next.
        _vm.SaveState(ref state.Vm);
    }

    private void SaveCpu(KvmMachineState state, int index)
    {
        ref KvmVcpuState cpu = ref state.Vcpus[index];
        if (!state.IsRead(index))
        {
            _vcpus[index].SaveState(ref cpu);
        }

        var timer = new LocalTimer(ref cpu.LocalApic);
        if (timer.MayBeDue)
        {
            _group!.Settle(index);
            _vcpus[index].SaveState(ref cpu);
            timer.ForgetIfDone();
        }
    }

    /// <summary>Sets everything in a machine of the same shape whose vCPUs exist and have not run, or are paused.</summary>
    internal void RestoreState(KvmMachineState state)
    {
        ThrowIfRunning();
        if (state.Vcpus.Length != _vcpus.Length)
        {
            throw new ArgumentException($"A state of {state.Vcpus.Length} vCPUs does not fit a machine of {_vcpus.Length}.", nameof(state));
        }

        _group!.Departure?.Outdate();
        _vm.RestoreInterruptControllers(in state.Vm);
        for (int i = 0; i < _vcpus.Length; i++)
        {
            _vcpus[i].RestoreState(in state.Vcpus[i]);
        }

        _vm.RestoreTime(in state.Vm);
        _stoppedAt = Stopwatch.GetTimestamp() - Age(in state.Vm.Clock).Ticks * (Stopwatch.Frequency / TimeSpan.TicksPerSecond);
        _linesUnknown = true;
        foreach (KvmInterruptLine? line in _lines)
        {
            line?.Forget();
        }
    }

    /// <summary>How long ago a clock was read: on any host, if its wall clock is right. Long ago when the kernel has not noted it.</summary>
    private static TimeSpan Age(in kvm_clock_data clock)
    {
        if ((clock.flags & KvmConstants.KVM_CLOCK_REALTIME) == 0)
        {
            return TimeSpan.FromSeconds(1);
        }

        TimeSpan age = DateTime.UtcNow - DateTime.UnixEpoch.AddTicks((long)(clock.realtime / TimeSpan.NanosecondsPerTick));
        return age < TimeSpan.Zero ? TimeSpan.Zero : age < TimeSpan.FromDays(1) ? age : TimeSpan.FromDays(1);
    }

    private void ThrowIfNoCpus()
    {
        if (_vcpus.Length == 0)
        {
            throw new InvalidOperationException("This machine has no vCPUs yet.");
        }
    }

    private void ThrowIfRunning()
    {
        ThrowIfNoCpus();
        if (!IsPaused)
        {
            throw new InvalidOperationException("State is only read and set while the machine is paused.");
        }
    }
}
