using Vmm.Core.Hypervisor;
using Vmm.Kvm.Cpu;
using Vmm.Kvm.Native;

namespace Vmm.Kvm;

/// <summary>What the vCPUs show to the guest. It stays the same wherever the guest goes.</summary>
public sealed partial class KvmVirtualMachine
{
    private kvm_cpuid_entry2[]? _given;

    /// <summary>What CPUID answers on the first vCPU; the others differ in their numbers only. The vCPUs exist.</summary>
    public IReadOnlyList<CpuidLeaf> GetCpuid() => [.. CpuidTable.ForCpu(CpuidSource(out bool tscDeadline), 0, (uint)_vcpus.Length, tscDeadline).Select(ToLeaf)];

    /// <summary>The vCPUs will answer like this instead of like this host's. Before they are created.</summary>
    public void UseCpuid(IReadOnlyList<CpuidLeaf> leaves) => _given = [.. leaves.Select(FromLeaf)];

    /// <summary>The features among these that KVM does not have on this host, each as a clause with its leaf and bits.</summary>
    public IReadOnlyList<string> FindUnsupported(IReadOnlyList<CpuidLeaf> leaves)
        => CpuidTable.FindUnsupported([.. leaves.Select(FromLeaf)], CpuidTable.ForCpu(SupportedCpuid, 0, 1, HasTscDeadline));

    private kvm_cpuid_entry2[] SupportedCpuid => HostCpu.IsTcg() ? CpuidTable.WithoutExtendedState(_kvm.GetSupportedCpuid()) : _kvm.GetSupportedCpuid();

    private bool HasTscDeadline => _vm.Check(KvmCapability.KVM_CAP_TSC_DEADLINE_TIMER) != 0;

    private kvm_cpuid_entry2[] CpuidSource(out bool tscDeadline)
    {
        tscDeadline = _given is null ? HasTscDeadline : CpuidTable.HasTscDeadline(_given);
        return _given ?? SupportedCpuid;
    }

    private static CpuidLeaf ToLeaf(kvm_cpuid_entry2 entry)
        => new(entry.function, entry.index, (entry.flags & KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX) != 0, entry.eax, entry.ebx, entry.ecx, entry.edx);

    private static kvm_cpuid_entry2 FromLeaf(CpuidLeaf leaf) => new()
    {
        function = leaf.Function,
        index = leaf.Index,
        flags = leaf.IsIndexed ? KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX : 0,
        eax = leaf.Eax,
        ebx = leaf.Ebx,
        ecx = leaf.Ecx,
        edx = leaf.Edx,
    };
}
