using System.Runtime.InteropServices;

namespace Vmm.Kvm.Native;

/// <summary>A route to a pin of an in-kernel interrupt controller.</summary>
internal struct kvm_irq_routing_irqchip
{
    internal uint irqchip;
    internal uint pin;
}

/// <summary>A route to a message-signalled interrupt.</summary>
internal struct kvm_irq_routing_msi
{
    internal uint address_lo;
    internal uint address_hi;
    internal uint data;
    internal uint devid;
}

/// <summary>Where one GSI leads to.</summary>
internal struct kvm_irq_routing_entry
{
    internal uint gsi;
    internal uint type;
    internal uint flags;
    internal uint pad;
    internal _u u;

    [StructLayout(LayoutKind.Explicit, Size = 32)]
    internal struct _u
    {
        [FieldOffset(0)]
        internal kvm_irq_routing_irqchip irqchip;

        [FieldOffset(0)]
        internal kvm_irq_routing_msi msi;
    }
}

/// <summary>KVM_SET_GSI_ROUTING: followed by nr entries.</summary>
internal struct kvm_irq_routing
{
    internal uint nr;
    internal uint flags;
}
