using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>What KVM keeps of a machine outside its vCPUs.</summary>
internal struct KvmVmState
{
    internal kvm_irqchip PicMaster;
    internal kvm_irqchip PicSlave;
    internal kvm_irqchip IoApic;

    /// <summary>Whether <see cref="Pit"/> holds.</summary>
    internal bool HasPit;

    internal kvm_pit_state2 Pit;

    /// <summary>kvmclock; with the wall-clock time of the reading when the kernel gives it (flag KVM_CLOCK_REALTIME, Linux 5.16).</summary>
    internal kvm_clock_data Clock;
}
