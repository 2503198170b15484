namespace Vmm.Kvm.State;

/// <summary>What the state of a vCPU consists of on this host.</summary>
/// <param name="Msrs">The model-specific registers, in the order in which they are set.</param>
/// <param name="HasTscOffset">The TSC is carried as its offset from the host's (KVM_VCPU_TSC_OFFSET).</param>
/// <param name="HasSregs2">KVM_GET_SREGS2 is there.</param>
/// <param name="TscKilohertz">The TSC's frequency, which nobody changes, or 0 when KVM does not tell.</param>
internal sealed record StateTraits(uint[] Msrs, bool HasTscOffset, bool HasSregs2, uint TscKilohertz);
