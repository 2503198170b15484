using Vmm.Core.State;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>What KVM keeps of a machine outside its vCPUs.</summary>
internal struct KvmVmState : IDescribed<KvmVmState>
{
    internal kvm_irqchip PicMaster;
    internal kvm_irqchip PicSlave;
    internal kvm_irqchip IoApic;

    /// <summary>Whether <see cref="Pit"/> holds.</summary>
    internal bool HasPit;

    internal kvm_pit_state2 Pit;

    /// <summary>kvmclock; with the wall-clock time of the reading when the kernel gives it (flag KVM_CLOCK_REALTIME, Linux 5.16).</summary>
    internal kvm_clock_data Clock;

    public static string StateName => "kvm";

    public static void Describe<TVisitor>(ref TVisitor visitor, scoped ref KvmVmState state) where TVisitor : IStateVisitor, allows ref struct
    {
        visitor.Struct("pic_master", ref state.PicMaster.chip.pic);
        visitor.Struct("pic_slave", ref state.PicSlave.chip.pic);
        visitor.Struct("ioapic", ref state.IoApic.chip.ioapic);
        visitor.Struct("clock", ref state.Clock);
        visitor.Field("has_pit", ref state.HasPit);
        visitor.Subsection("kvm/pit", version: 1, minimum: 1, needed: state.HasPit, ref state.Pit);
    }

    public static string? PostLoad(scoped ref KvmVmState state)
    {
        state.PicMaster.chip_id = KvmConstants.KVM_IRQCHIP_PIC_MASTER;
        state.PicSlave.chip_id = KvmConstants.KVM_IRQCHIP_PIC_SLAVE;
        state.IoApic.chip_id = KvmConstants.KVM_IRQCHIP_IOAPIC;
        return null;
    }
}
