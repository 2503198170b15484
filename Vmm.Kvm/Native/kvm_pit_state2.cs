using System.Runtime.CompilerServices;

namespace Vmm.Kvm.Native;

/// <summary>KVM_CREATE_PIT2.</summary>
internal unsafe struct kvm_pit_config
{
    internal uint flags;
    internal fixed uint pad[15];
}

/// <summary>One of the three counters of the 8254.</summary>
internal partial struct kvm_pit_channel_state
{
    internal uint count;
    internal ushort latched_count;
    internal byte count_latched, status_latched, status, read_state;
    internal byte write_state, write_latch, rw_mode, mode, bcd, gate;
    internal long count_load_time;
}

/// <summary>KVM_GET_PIT2, KVM_SET_PIT2.</summary>
internal unsafe partial struct kvm_pit_state2
{
    internal _channels channels;
    internal uint flags;
    internal fixed uint reserved[9];

    [InlineArray(3)]
    internal struct _channels
    {
        private kvm_pit_channel_state _element;
    }
}
