namespace Vmm.Kvm.Native;

/// <summary>Constants of linux/kvm.h and asm/kvm.h, by their C names. A test compares each value with the header.</summary>
internal static class KvmConstants
{
    internal const int KVM_API_VERSION = 12;

    internal const uint KVM_EXIT_UNKNOWN = 0;
    internal const uint KVM_EXIT_IO = 2;
    internal const uint KVM_EXIT_HLT = 5;
    internal const uint KVM_EXIT_MMIO = 6;
    internal const uint KVM_EXIT_IRQ_WINDOW_OPEN = 7;
    internal const uint KVM_EXIT_SHUTDOWN = 8;
    internal const uint KVM_EXIT_FAIL_ENTRY = 9;
    internal const uint KVM_EXIT_INTR = 10;
    internal const uint KVM_EXIT_INTERNAL_ERROR = 17;
    internal const uint KVM_EXIT_SYSTEM_EVENT = 24;

    internal const byte KVM_EXIT_IO_OUT = 1;

    internal const uint KVM_INTERNAL_ERROR_EMULATION = 1;
    internal const uint KVM_INTERNAL_ERROR_SIMUL_EX = 2;
    internal const uint KVM_INTERNAL_ERROR_DELIVERY_EV = 3;
    internal const uint KVM_INTERNAL_ERROR_UNEXPECTED_EXIT_REASON = 4;
    internal const ulong KVM_INTERNAL_ERROR_EMULATION_FLAG_INSTRUCTION_BYTES = 1;

    internal const uint KVM_SYSTEM_EVENT_SHUTDOWN = 1;
    internal const uint KVM_SYSTEM_EVENT_RESET = 2;
    internal const uint KVM_SYSTEM_EVENT_CRASH = 3;

    internal const uint KVM_MP_STATE_RUNNABLE = 0;
    internal const uint KVM_MP_STATE_UNINITIALIZED = 1;
    internal const uint KVM_MP_STATE_HALTED = 3;

    internal const uint KVM_IRQCHIP_PIC_MASTER = 0;
    internal const uint KVM_IRQCHIP_PIC_SLAVE = 1;
    internal const uint KVM_IRQCHIP_IOAPIC = 2;
    internal const uint KVM_IOAPIC_NUM_PINS = 24;

    internal const uint KVM_IRQ_ROUTING_IRQCHIP = 1;
    internal const uint KVM_IRQ_ROUTING_MSI = 2;

    internal const uint KVM_IRQFD_FLAG_DEASSIGN = 1;
    internal const uint KVM_IRQFD_FLAG_RESAMPLE = 2;

    internal const uint KVM_IOEVENTFD_FLAG_DATAMATCH = 1;
    internal const uint KVM_IOEVENTFD_FLAG_DEASSIGN = 4;

    internal const uint KVM_CPUID_FLAG_SIGNIFCANT_INDEX = 1;

    internal const uint KVM_CLOCK_REALTIME = 4;

    internal const ulong KVM_X2APIC_API_USE_32BIT_IDS = 1;
    internal const ulong KVM_X2APIC_API_DISABLE_BROADCAST_QUIRK = 2;

    internal const uint KVM_VCPU_TSC_CTRL = 0;
    internal const ulong KVM_VCPU_TSC_OFFSET = 0;
}
