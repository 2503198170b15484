using System.Runtime.InteropServices;
using Vmm.Core.Linux;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using static Vmm.Kvm.Native.KvmConstants;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>The whole state of a vCPU. Only while all vCPUs of the machine are outside KVM_RUN, at a clean point.</summary>
internal sealed unsafe partial class KvmVcpu
{
    private KvmVcpuState _known;
    private MsrBuffer? _changedMsrs;
    private bool _isKnown;

    /// <summary>An empty state with its arrays. Makes no system call, so the vCPU may run.</summary>
    internal KvmVcpuState CreateState() => new() { Xsave = new byte[Vm.XsaveSize], Msrs = new MsrBuffer(Vm.StateTraits.Msrs) };

    /// <summary>Finds out what a vCPU's state consists of on this host. Before the vCPU runs: its ioctls wait until KVM_RUN returns.</summary>
    internal StateTraits ProbeState()
    {
        bool hasTscOffset = ProbeTscOffset();
        return new StateTraits(
            MsrList.Readable(this, Vm.Kvm.GetMsrIndexList(), withTsc: !hasTscOffset),
            hasTscOffset,
            Vm.Check(KvmCapability.KVM_CAP_SREGS2) != 0,
            TscKilohertz);
    }

    internal void SaveState(ref KvmVcpuState state)
    {
        SaveRegisters(ref state);
        SaveInterrupts(ref state);
    }

    /// <summary>The first part: what only the vCPU's own guest code changes. Others may still run.</summary>
    internal void SaveRegisters(ref KvmVcpuState state)
    {
        // ORDER: the MP state first: reading it accepts a pending INIT or SIPI, which changes the rest. The TSC deadline, an MSR, before the
        // LAPIC: should it pass between the two, its interrupt may come twice, but does come.
        Get(KVM_GET_MP_STATE, ref state.MpState, nameof(KVM_GET_MP_STATE));
        Get(KVM_GET_REGS, ref state.Registers, nameof(KVM_GET_REGS));
        SaveSpecialRegisters(ref state.SpecialRegisters);
        SaveXsave(state.Xsave);
        Get(KVM_GET_XCRS, ref state.ExtendedControlRegisters, nameof(KVM_GET_XCRS));
        Get(KVM_GET_DEBUGREGS, ref state.DebugRegisters, nameof(KVM_GET_DEBUGREGS));
        SaveTime(ref state);
        SaveMsrs(state.Msrs);
    }

    /// <summary>The second part, when no vCPU runs any more: what another one may have sent after the first.</summary>
    internal void CompleteState(ref KvmVcpuState state, bool others)
    {
        // An INIT or a SIPI would have changed everything.
        if (others && !(GetMpState() == state.MpState.mp_state && AreEqual(GetRegisters(), in state.Registers)))
        {
            SaveRegisters(ref state);
        }

        SaveInterrupts(ref state);
    }

    private void SaveInterrupts(ref KvmVcpuState state)
    {
        // ORDER: the events last: the readings before may move a pending interrupt or exception, and this is where it is found.
        Get(KVM_GET_LAPIC, ref state.LocalApic, nameof(KVM_GET_LAPIC));
        Get(KVM_GET_VCPU_EVENTS, ref state.Events, nameof(KVM_GET_VCPU_EVENTS));
        state.Events.ForgetDone();
    }

    /// <summary>
    /// Makes <paramref name="state"/> that of the vCPU. What KVM is known to have already (<see cref="LearnState"/>) is left alone: each
    /// part costs a system call, and most of a guest's state is that of a new vCPU. The vCPU has its CPUID already, as features
    /// decide what may be set.
    /// </summary>
    internal void RestoreState(in KvmVcpuState state)
    {
        CheckFrequency(in state);
        bool known = _isKnown;
        _isKnown = false;

        // ORDER:
        // - KVM_SET_REGS drops pending exceptions: before the events.
        // - The special registers hold the APIC base, which decides on xAPIC or x2APIC: before the LAPIC.
        // - The special registers hold EFER and CR4: before XCR0, and XCR0 before the registers that it enables.
        // - The TSC's offset before the MSRs: the TSC deadline is compared with the TSC as soon as it is set.
        // - The LAPIC before the MSRs: the TSC deadline is refused unless the LAPIC's timer is in that mode.
        // - The events last.
        SetUnless(known, in _known.MpState, KVM_SET_MP_STATE, in state.MpState, nameof(KVM_SET_MP_STATE));
        SetUnless(known, in _known.Registers, KVM_SET_REGS, in state.Registers, nameof(KVM_SET_REGS));
        RestoreLasting(in state, known);
        SetUnless(known, in _known.LocalApic, KVM_SET_LAPIC, in state.LocalApic, nameof(KVM_SET_LAPIC));
        if (state.HasTscOffset && !(known && _known.TscOffset == state.TscOffset))
        {
            RestoreTscOffset(state.TscOffset);
        }

        RestoreMsrs(known && _changedMsrs!.TakeChanged(_known.Msrs, state.Msrs) ? _changedMsrs : state.Msrs);
        SetUnless(known, in _known.Events, KVM_SET_VCPU_EVENTS, in state.Events, nameof(KVM_SET_VCPU_EVENTS));
    }

    /// <summary>
    /// Sets, of the state as it was a moment ago, what lasts in most guests: no timer, no interrupt, no clock, nothing that makes KVM write to the
    /// guest's memory, as the guest runs elsewhere. <see cref="LearnState"/> follows.
    /// </summary>
    internal void Preset(in KvmVcpuState state)
    {
        CheckFrequency(in state);
        bool known = _isKnown;
        _isKnown = false;
        RestoreLasting(in state, known);
    }

    private void RestoreLasting(in KvmVcpuState state, bool known)
    {
        if (!known || !AreEqual(in _known.SpecialRegisters, in state.SpecialRegisters))
        {
            RestoreSpecialRegisters(in state.SpecialRegisters);
        }

        SetUnless(known, in _known.ExtendedControlRegisters, KVM_SET_XCRS, in state.ExtendedControlRegisters, nameof(KVM_SET_XCRS));
        if (!known || !_known.Xsave.AsSpan().SequenceEqual(state.Xsave))
        {
            RestoreXsave(state.Xsave);
        }

        SetUnless(known, in _known.DebugRegisters, KVM_SET_DEBUGREGS, in state.DebugRegisters, nameof(KVM_SET_DEBUGREGS));
    }

    /// <summary>Reads what KVM has, once, so that the next <see cref="RestoreState"/> sets what differs from it. Until <see cref="ForgetState"/>.</summary>
    internal void LearnState()
    {
        if (_known.Xsave is null)
        {
            _known = CreateState();
            _changedMsrs = new MsrBuffer(_known.Msrs.Entries.Length);
        }

        SaveState(ref _known);
        _isKnown = true;
    }

    /// <summary>Sets all of what was learned, and learns it again: what this host's KVM refuses shows here, and not when a guest waits.</summary>
    internal void Rehearse()
    {
        ForgetState();
        RestoreState(in _known);
        LearnState();
    }

    /// <summary>The vCPU is about to run.</summary>
    internal void ForgetState() => _isKnown = false;

    /// <summary>kvm_sregs and kvm_sregs2 are alike up to the interrupt bitmap.</summary>
    private static int CommonSregsSize => sizeof(kvm_sregs) - 4 * sizeof(ulong);

    private bool ProbeTscOffset()
    {
        var attribute = new kvm_device_attr { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET };
        return Vm.Check(KvmCapability.KVM_CAP_VCPU_ATTRIBUTES) != 0 && ioctl(Number, KVM_HAS_DEVICE_ATTR, &attribute) == 0;
    }

    /// <summary>A kernel that can't tell the frequency answers EIO, or 0 without the capability.</summary>
    internal uint TscKilohertz => (uint)Math.Max(0, ioctl(Number, KVM_GET_TSC_KHZ, null));

    private void SaveTime(ref KvmVcpuState state)
    {
        state.HasTscOffset = Vm.StateTraits.HasTscOffset;
        if (state.HasTscOffset)
        {
            ulong offset;
            var attribute = new kvm_device_attr { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET, addr = (ulong)&offset };
            Get(KVM_GET_DEVICE_ATTR, ref attribute, "KVM_GET_DEVICE_ATTR(KVM_VCPU_TSC_OFFSET)");
            state.TscOffset = offset;
        }

        state.TscKilohertz = Vm.StateTraits.TscKilohertz;
    }

    private void CheckFrequency(in KvmVcpuState state)
    {
        // NTP and calibration move the figure by a few parts in a million; a guest notices 250 (as NTP itself, and QEMU, have it).
        uint kilohertz = Vm.StateTraits.TscKilohertz;
        if (state.TscKilohertz != 0 && kilohertz != 0 && Math.Abs((long)kilohertz - state.TscKilohertz) * 4000 > kilohertz)
        {
            throw new InvalidOperationException(
                $"vCPU {Index}: the saved TSC runs at {state.TscKilohertz} kHz, this host's at {kilohertz} kHz: the guest's clock would change its speed.");
        }

    }

    private void RestoreTscOffset(ulong offset)
    {
        var attribute = new kvm_device_attr { group = KVM_VCPU_TSC_CTRL, attr = KVM_VCPU_TSC_OFFSET, addr = (ulong)&offset };
        Set(KVM_SET_DEVICE_ATTR, in attribute, "KVM_SET_DEVICE_ATTR(KVM_VCPU_TSC_OFFSET)");
    }

    private void SaveSpecialRegisters(ref kvm_sregs2 state)
    {
        if (Vm.StateTraits.HasSregs2)
        {
            Get(KVM_GET_SREGS2, ref state, nameof(KVM_GET_SREGS2));
            return;
        }

        // Before Linux 5.14. What the interrupt bitmap says is in the events too.
        kvm_sregs old = GetSpecialRegisters();
        state = default;
        fixed (kvm_sregs2* target = &state)
        {
            Buffer.MemoryCopy(&old, target, CommonSregsSize, CommonSregsSize);
        }
    }

    private void RestoreSpecialRegisters(in kvm_sregs2 state)
    {
        if (Vm.StateTraits.HasSregs2)
        {
            Set(KVM_SET_SREGS2, in state, nameof(KVM_SET_SREGS2));
            return;
        }

        var old = default(kvm_sregs);
        fixed (kvm_sregs2* source = &state)
        {
            Buffer.MemoryCopy(source, &old, CommonSregsSize, CommonSregsSize);
        }

        SetSpecialRegisters(in old);
    }

    private void SaveXsave(byte[] area)
    {
        fixed (byte* target = area)
        {
            bool sized = area.Length > sizeof(kvm_xsave);
            Call(this, sized ? KVM_GET_XSAVE2 : KVM_GET_XSAVE, target, sized ? nameof(KVM_GET_XSAVE2) : nameof(KVM_GET_XSAVE), _subject);
        }
    }

    private void RestoreXsave(byte[] area)
    {
        // KVM reads as many bytes as KVM_CAP_XSAVE2 says.
        if (area.Length < Vm.XsaveSize)
        {
            throw new ArgumentException($"{_subject}: an XSAVE area of {area.Length} bytes does not fit this host's CPU, which needs {Vm.XsaveSize}.", nameof(area));
        }

        fixed (byte* source = area)
        {
            Call(this, KVM_SET_XSAVE, source, nameof(KVM_SET_XSAVE), _subject);
        }
    }

    private void SetUnless<T>(bool known, in T held, uint request, in T value, string name) where T : unmanaged
    {
        if (!known || !AreEqual(in held, in value))
        {
            Set(request, in value, name);
        }
    }

    private static bool AreEqual<T>(in T one, in T other) where T : unmanaged
        => MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in one)).SequenceEqual(MemoryMarshal.AsBytes(new ReadOnlySpan<T>(in other)));

    private void SaveMsrs(MsrBuffer msrs)
    {
        int count = msrs.Entries.Length;
        int done = LinuxException.ThrowIfFailed(msrs.Call(this, KVM_GET_MSRS, 0, count), "ioctl(KVM_GET_MSRS)", _subject);
        if (done != count)
        {
            throw new InvalidOperationException($"{_subject}: MSR 0x{msrs.Entries[done].index:x} can't be read any more.");
        }
    }

    private void RestoreMsrs(MsrBuffer msrs)
    {
        int count = msrs.Used;
        if (count == 0)
        {
            return;
        }

        int done = LinuxException.ThrowIfFailed(msrs.Call(this, KVM_SET_MSRS, 0, count), "ioctl(KVM_SET_MSRS)", _subject);
        if (done != count)
        {
            kvm_msr_entry refused = msrs.Entries[done];
            throw new NotSupportedException(
                $"{_subject}: this host's KVM refuses the value 0x{refused.data:x} for MSR 0x{refused.index:x}; the state comes from a different CPU or kernel.");
        }
    }
}
