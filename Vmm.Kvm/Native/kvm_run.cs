using System.Runtime.InteropServices;

namespace Vmm.Kvm.Native;

/// <summary>The page shared with KVM_RUN: requests in, the exit and its data out. The union holds the exits that are handled.</summary>
[StructLayout(LayoutKind.Explicit, Size = 2352)]
internal struct kvm_run
{
    [FieldOffset(0)]
    internal byte request_interrupt_window;

    [FieldOffset(1)]
    internal byte immediate_exit;

    [FieldOffset(8)]
    internal uint exit_reason;

    [FieldOffset(12)]
    internal byte ready_for_interrupt_injection;

    [FieldOffset(13)]
    internal byte if_flag;

    [FieldOffset(14)]
    internal ushort flags;

    [FieldOffset(16)]
    internal ulong cr8;

    [FieldOffset(24)]
    internal ulong apic_base;

    [FieldOffset(32)]
    internal _hw hw;

    [FieldOffset(32)]
    internal _fail_entry fail_entry;

    [FieldOffset(32)]
    internal _io io;

    [FieldOffset(32)]
    internal _mmio mmio;

    [FieldOffset(32)]
    internal _internal @internal;

    [FieldOffset(32)]
    internal _emulation_failure emulation_failure;

    [FieldOffset(32)]
    internal _system_event system_event;

    [FieldOffset(288)]
    internal ulong kvm_valid_regs;

    [FieldOffset(296)]
    internal ulong kvm_dirty_regs;

    /// <summary>KVM_EXIT_UNKNOWN.</summary>
    internal struct _hw
    {
        internal ulong hardware_exit_reason;
    }

    /// <summary>KVM_EXIT_FAIL_ENTRY.</summary>
    internal struct _fail_entry
    {
        internal ulong hardware_entry_failure_reason;
        internal uint cpu;
    }

    /// <summary>KVM_EXIT_IO: count elements of size bytes at data_offset from the start of kvm_run.</summary>
    internal struct _io
    {
        internal byte direction;
        internal byte size;
        internal ushort port;
        internal uint count;
        internal ulong data_offset;
    }

    /// <summary>KVM_EXIT_MMIO.</summary>
    internal unsafe struct _mmio
    {
        internal ulong phys_addr;
        internal fixed byte data[8];
        internal uint len;
        internal byte is_write;
    }

    /// <summary>KVM_EXIT_INTERNAL_ERROR.</summary>
    internal unsafe struct _internal
    {
        internal uint suberror;
        internal uint ndata;
        internal fixed ulong data[16];
    }

    /// <summary>KVM_EXIT_INTERNAL_ERROR with KVM_INTERNAL_ERROR_EMULATION.</summary>
    internal unsafe struct _emulation_failure
    {
        internal uint suberror;
        internal uint ndata;
        internal ulong flags;
        internal byte insn_size;
        internal fixed byte insn_bytes[15];
    }

    /// <summary>KVM_EXIT_SYSTEM_EVENT.</summary>
    internal unsafe struct _system_event
    {
        internal uint type;
        internal uint ndata;
        internal fixed ulong data[16];
    }
}
