using System.Runtime.InteropServices;

namespace Vmm.Kvm.Native;

/// <summary>One 8259 PIC.</summary>
internal partial struct kvm_pic_state
{
    internal byte last_irr, irr, imr, isr;
    internal byte priority_add, irq_base, read_reg_select, poll;
    internal byte special_mask, init_state, auto_eoi, rotate_on_auto_eoi;
    internal byte special_fully_nested_mode, init4, elcr, elcr_mask;
}

/// <summary>The IOAPIC.</summary>
internal unsafe partial struct kvm_ioapic_state
{
    internal ulong base_address;
    internal uint ioregsel;
    internal uint id;
    internal uint irr;
    internal uint pad;
    internal fixed ulong redirtbl[24];
}

/// <summary>KVM_GET_IRQCHIP, KVM_SET_IRQCHIP.</summary>
internal struct kvm_irqchip
{
    internal uint chip_id;
    internal uint pad;
    internal _chip chip;

    [StructLayout(LayoutKind.Explicit, Size = 512)]
    internal struct _chip
    {
        [FieldOffset(0)]
        internal kvm_pic_state pic;

        [FieldOffset(0)]
        internal kvm_ioapic_state ioapic;
    }
}
