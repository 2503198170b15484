using Vmm.Core.State;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>All of a vCPU that KVM keeps, in KVM's own structs. Made by <see cref="KvmVcpu.CreateState"/>; saved into any number of times.</summary>
internal struct KvmVcpuState : IDescribed<KvmVcpuState>
{
    /// <summary>Runnable, halted, waiting for INIT or SIPI.</summary>
    internal kvm_mp_state MpState;

    internal kvm_regs Registers;
    internal kvm_sregs2 SpecialRegisters;
    internal kvm_debugregs DebugRegisters;
    internal kvm_xcrs ExtendedControlRegisters;
    internal kvm_lapic_state LocalApic;
    internal kvm_vcpu_events Events;

    /// <summary>FPU, SSE and AVX registers, in the host's XSAVE layout; <see cref="KvmVm.XsaveSize"/> bytes.</summary>
    internal byte[] Xsave;

    /// <summary>Model-specific registers; not the TSC when <see cref="HasTscOffset"/>.</summary>
    internal MsrBuffer Msrs;

    /// <summary>Whether <see cref="TscOffset"/> holds (KVM_VCPU_TSC_OFFSET, Linux 5.16).</summary>
    internal bool HasTscOffset;

    /// <summary>The guest's TSC less the host's, modulo 2^64.</summary>
    internal ulong TscOffset;

    /// <summary>The guest's TSC frequency, or 0 when KVM does not tell.</summary>
    internal uint TscKilohertz;

    /// <summary>More than KVM has.</summary>
    private const int MaxMsrs = 1024;

    /// <summary>AMX included.</summary>
    private const int MaxXsaveSize = 64 << 10;

    public static string StateName => "cpu";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref KvmVcpuState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Field("mp_state", ref state.MpState.mp_state);
        visitor.Struct("regs", ref state.Registers);
        visitor.Struct("sregs", ref state.SpecialRegisters);
        visitor.Struct("debugregs", ref state.DebugRegisters);
        visitor.Struct("xcrs", ref state.ExtendedControlRegisters);
        visitor.Struct("lapic", ref state.LocalApic);
        visitor.Struct("events", ref state.Events);
        visitor.Field("has_tsc_offset", ref state.HasTscOffset);
        visitor.Field("tsc_offset", ref state.TscOffset);
        visitor.Field("tsc_khz", ref state.TscKilohertz);

        int size = state.Xsave.Length;
        visitor.Count("xsave_size", ref size, MaxXsaveSize);
        state.Xsave = size == state.Xsave.Length ? state.Xsave : new byte[size];
        visitor.Bytes("xsave", state.Xsave);

        int count = state.Msrs.Entries.Length;
        visitor.Count("msr_count", ref count, MaxMsrs);
        state.Msrs = count == state.Msrs.Entries.Length ? state.Msrs : new MsrBuffer(count);
        visitor.Structs("msrs", state.Msrs.Entries);
    }
}
