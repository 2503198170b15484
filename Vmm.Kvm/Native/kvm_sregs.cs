namespace Vmm.Kvm.Native;

/// <summary>A segment register with its hidden part.</summary>
internal partial struct kvm_segment
{
    internal ulong @base;
    internal uint limit;
    internal ushort selector;
    internal byte type;
    internal byte present, dpl, db, s, l, g, avl;
    internal byte unusable;
    internal byte padding;
}

/// <summary>GDTR or IDTR.</summary>
internal unsafe partial struct kvm_dtable
{
    internal ulong @base;
    internal ushort limit;
    internal fixed ushort padding[3];
}

/// <summary>KVM_GET_SREGS, KVM_SET_SREGS.</summary>
internal unsafe struct kvm_sregs
{
    internal kvm_segment cs, ds, es, fs, gs, ss;
    internal kvm_segment tr, ldt;
    internal kvm_dtable gdt, idt;
    internal ulong cr0, cr2, cr3, cr4, cr8;
    internal ulong efer;
    internal ulong apic_base;
    internal fixed ulong interrupt_bitmap[4];
}

/// <summary>KVM_GET_SREGS2, KVM_SET_SREGS2: with the PDPTEs, without the pending interrupt (that is in kvm_vcpu_events).</summary>
internal unsafe partial struct kvm_sregs2
{
    internal kvm_segment cs, ds, es, fs, gs, ss;
    internal kvm_segment tr, ldt;
    internal kvm_dtable gdt, idt;
    internal ulong cr0, cr2, cr3, cr4, cr8;
    internal ulong efer;
    internal ulong apic_base;
    internal ulong flags;
    internal fixed ulong pdptrs[4];
}
