using Vmm.Core.Interrupts;
using Vmm.Kvm.Native;
using Vmm.Kvm.State;
using static Vmm.Kvm.Native.KvmConstants;
using static Vmm.Kvm.Native.KvmIoctl;

namespace Vmm.Kvm;

/// <summary>The state of the machine outside its vCPUs. Only while all vCPUs are outside KVM_RUN.</summary>
internal sealed unsafe partial class KvmVm
{
    internal void SaveState(ref KvmVmState state)
    {
        SaveChip(KVM_IRQCHIP_PIC_MASTER, ref state.PicMaster);
        SaveChip(KVM_IRQCHIP_PIC_SLAVE, ref state.PicSlave);
        SaveChip(KVM_IRQCHIP_IOAPIC, ref state.IoApic);
        state.HasPit = HasPit;
        if (HasPit)
        {
            fixed (kvm_pit_state2* pit = &state.Pit)
            {
                Call(this, KVM_GET_PIT2, pit, nameof(KVM_GET_PIT2), Subject);
            }
        }

        fixed (kvm_clock_data* clock = &state.Clock)
        {
            Call(this, KVM_GET_CLOCK, clock, nameof(KVM_GET_CLOCK), Subject);
        }
    }

    /// <summary>The first half of a restore, before the vCPUs.</summary>
    internal void RestoreInterruptControllers(in KvmVmState state)
    {
        if (state.HasPit && !HasPit)
        {
            throw new InvalidOperationException("The state has a PIT and this machine has none: create it with the same options.");
        }

        // ORDER: before the LAPICs. Setting an IOAPIC with raised pins may send interrupts to LAPICs, which are then overwritten by
        // what they had really got.
        RestoreChip(state.PicMaster);
        RestoreChip(state.PicSlave);
        RestoreChip(state.IoApic);
    }

    /// <summary>The second half of a restore, after the vCPUs.</summary>
    internal void RestoreTime(in KvmVmState state)
    {
        // ORDER: after the vCPUs have their TSC: kvmclock is computed from it. The PIT's channels start to count when they are set.
        if (state.HasPit)
        {
            kvm_pit_state2 pit = state.Pit;
            Call(this, KVM_SET_PIT2, &pit, nameof(KVM_SET_PIT2), Subject);
        }

        // With the wall-clock time of the reading KVM adds what has passed since: the guest's clock does not stop while it moves.
        kvm_clock_data clock = state.Clock;
        clock.flags &= KVM_CLOCK_REALTIME;
        Call(this, KVM_SET_CLOCK, &clock, nameof(KVM_SET_CLOCK), Subject);
    }

    internal bool IsUnmasked(Gsi gsi)
    {
        const ulong Masked = 1 << 16; // of a redirection entry (82093AA, section 3.2.4)
        kvm_irqchip chip = default;
        SaveChip(KVM_IRQCHIP_IOAPIC, ref chip);
        return (chip.chip.ioapic.redirtbl[gsi.Number] & Masked) == 0;
    }

    private void SaveChip(uint id, ref kvm_irqchip chip)
    {
        chip.chip_id = id;
        fixed (kvm_irqchip* target = &chip)
        {
            Call(this, KVM_GET_IRQCHIP, target, nameof(KVM_GET_IRQCHIP), Subject);
        }
    }

    private void RestoreChip(kvm_irqchip chip) => Call(this, KVM_SET_IRQCHIP, &chip, nameof(KVM_SET_IRQCHIP), Subject);
}
