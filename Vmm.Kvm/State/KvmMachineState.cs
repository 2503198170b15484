namespace Vmm.Kvm.State;

/// <summary>All that KVM keeps of a machine. Allocated once and saved into, so that a save itself allocates nothing.</summary>
internal sealed class KvmMachineState(KvmVcpuState[] vcpus)
{
    private KvmVmState _vm;

    internal ref KvmVmState Vm => ref _vm;

    internal KvmVcpuState[] Vcpus { get; } = vcpus;
}
