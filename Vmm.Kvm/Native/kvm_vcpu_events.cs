namespace Vmm.Kvm.Native;

/// <summary>KVM_GET_VCPU_EVENTS, KVM_SET_VCPU_EVENTS: pending and injected exceptions, interrupts, NMIs, SMIs.</summary>
internal unsafe partial struct kvm_vcpu_events
{
    internal _exception exception;
    internal _interrupt interrupt;
    internal _nmi nmi;
    internal uint sipi_vector;
    internal uint flags;
    internal _smi smi;
    internal _triple_fault triple_fault;
    internal fixed byte reserved[26];
    internal byte exception_has_payload;
    internal ulong exception_payload;

    /// <summary>KVM leaves the numbers of what was delivered last; without them two states are equal when they mean the same.</summary>
    internal void ForgetDone()
    {
        if ((exception.injected | exception.pending) == 0)
        {
            exception = default;
            exception_has_payload = 0;
            exception_payload = 0;
        }

        if (interrupt.injected == 0)
        {
            interrupt.nr = 0;
            interrupt.soft = 0;
        }
    }

    internal struct _exception
    {
        internal byte injected, nr, has_error_code, pending;
        internal uint error_code;
    }

    internal struct _interrupt
    {
        internal byte injected, nr, soft, shadow;
    }

    internal struct _nmi
    {
        internal byte injected, pending, masked, pad;
    }

    internal struct _smi
    {
        internal byte smm, pending, smm_inside_nmi, latched_init;
    }

    internal struct _triple_fault
    {
        internal byte pending;
    }
}
