namespace Vmm.Kvm;

public sealed partial class KvmVirtualMachine
{
    /// <summary>The thread of each vCPU as the kernel numbers it (gettid(2)); 0 for one that has not begun yet.</summary>
    public IReadOnlyList<int> CpuThreads => _group?.ThreadIds ?? [];
}
