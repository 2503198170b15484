using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>All of a vCPU that KVM keeps, in KVM's own structs. Made by <see cref="KvmVcpu.CreateState"/>; saved into any number of times.</summary>
internal struct KvmVcpuState
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
}
