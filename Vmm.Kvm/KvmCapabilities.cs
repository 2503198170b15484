using Vmm.Kvm.Native;
using static Vmm.Kvm.Native.KvmCapability;

namespace Vmm.Kvm;

/// <summary>Which capabilities a machine can't do without, and which it only makes use of.</summary>
internal static class KvmCapabilities
{
    internal static IReadOnlyList<KvmCapability> Required { get; } =
    [
        KVM_CAP_IRQCHIP,
        KVM_CAP_USER_MEMORY,
        KVM_CAP_SET_TSS_ADDR,
        KVM_CAP_EXT_CPUID,
        KVM_CAP_MP_STATE,
        KVM_CAP_SYNC_MMU,
        KVM_CAP_IRQ_ROUTING,
        KVM_CAP_IRQFD,
        KVM_CAP_IOEVENTFD,
        KVM_CAP_SET_IDENTITY_MAP_ADDR,
        KVM_CAP_ADJUST_CLOCK,
        KVM_CAP_VCPU_EVENTS,
        KVM_CAP_DEBUGREGS,
        KVM_CAP_XSAVE,
        KVM_CAP_XCRS,
        KVM_CAP_SIGNAL_MSI,
        KVM_CAP_IMMEDIATE_EXIT,
    ];

    internal static IReadOnlyList<KvmCapability> Optional { get; } =
    [
        KVM_CAP_NR_MEMSLOTS,
        KVM_CAP_PIT2,
        KVM_CAP_PIT_STATE2,
        KVM_CAP_GET_TSC_KHZ,
        KVM_CAP_MAX_VCPUS,
        KVM_CAP_TSC_DEADLINE_TIMER,
        KVM_CAP_KVMCLOCK_CTRL,
        KVM_CAP_IRQFD_RESAMPLE,
        KVM_CAP_VCPU_ATTRIBUTES,
        KVM_CAP_X2APIC_API,
        KVM_CAP_SREGS2,
        KVM_CAP_XSAVE2,
    ];
}
