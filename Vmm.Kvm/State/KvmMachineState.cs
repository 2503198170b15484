namespace Vmm.Kvm.State;

/// <summary>All that KVM keeps of a machine. Allocated once and saved into, so that a save itself allocates nothing.</summary>
internal sealed class KvmMachineState(KvmVcpuState[] vcpus)
{
    private readonly bool[] _isRead = new bool[vcpus.Length];
    private KvmVmState _vm;

    internal ref KvmVmState Vm => ref _vm;

    internal KvmVcpuState[] Vcpus { get; } = vcpus;

    /// <summary>Whether that vCPU's state was read on its way out of the guest, and it has not run since.</summary>
    internal ref bool IsRead(int vcpu) => ref _isRead[vcpu];

    /// <summary>The vCPUs run on, or have another state now.</summary>
    internal void Outdate() => Array.Clear(_isRead);
}
