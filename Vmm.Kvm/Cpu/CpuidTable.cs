using System.Numerics;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Cpu;

/// <summary>
/// What CPUID tells the guest: KVM's supported leaves, with a topology of one package of single-threaded cores, numbered 0 to
/// count - 1 as the APIC ids are. Leaves of the KVM hypervisor (0x4000_0000, kvmclock) stay as they are.
/// </summary>
internal static partial class CpuidTable
{
    private const uint Hypervisor = 1u << 31;       // leaf 1 ECX
    private const uint TscDeadline = 1u << 24;      // leaf 1 ECX
    private const uint Vmx = 1u << 5;               // leaf 1 ECX
    private const uint Htt = 1u << 28;              // leaf 1 EDX
    private const uint CmpLegacy = 1u << 1;         // leaf 0x8000_0001 ECX
    private const uint Svm = 1u << 2;               // leaf 0x8000_0001 ECX
    private const uint SmtLevel = 1u << 8;          // leaf 0xB ECX
    private const uint CoreLevel = 2u << 8;         // leaf 0xB ECX

    /// <summary>The leaves of one vCPU.</summary>
    /// <param name="supported">KVM_GET_SUPPORTED_CPUID.</param>
    /// <param name="apicId">The vCPU's number.</param>
    /// <param name="cpuCount">vCPUs of the machine.</param>
    /// <param name="tscDeadline">KVM_CAP_TSC_DEADLINE_TIMER: the one feature of the LAPIC that KVM does not put in its leaves.</param>
    internal static kvm_cpuid_entry2[] ForCpu(ReadOnlySpan<kvm_cpuid_entry2> supported, uint apicId, uint cpuCount, bool tscDeadline)
    {
        var table = new List<kvm_cpuid_entry2>(supported.Length + 3);
        foreach (kvm_cpuid_entry2 leaf in supported)
        {
            // Replaced below (extended topology), or describing what is not there (other topologies, nested SVM, encrypted memory).
            if (leaf.function is not (0xB or 0x1F or 0x8000_0026 or 0x8000_000A or 0x8000_001F))
            {
                table.Add(Patch(leaf, apicId, cpuCount, tscDeadline));
            }
        }

        if (MaximumLeaf(supported) >= 0xB)
        {
            AddExtendedTopology(table, apicId, cpuCount);
        }

        return [.. table];
    }

    /// <summary>Bits of an APIC id that number the cores of the package.</summary>
    internal static uint CoreBits(uint cpuCount) => (uint)BitOperations.Log2(BitOperations.RoundUpToPowerOf2(cpuCount));

    private static kvm_cpuid_entry2 Patch(kvm_cpuid_entry2 leaf, uint apicId, uint cpuCount, bool tscDeadline)
    {
        // Leaf 1 and 4 count ids, and in 8 and 6 bits; larger machines are told by leaf 0xB.
        uint ids = 1u << (int)CoreBits(cpuCount);
        switch (leaf.function)
        {
            case 0x1:
                leaf.ebx = (leaf.ebx & 0x0000_FFFF) | (Math.Min(ids, 255) << 16) | (apicId << 24);
                leaf.ecx = ((leaf.ecx | Hypervisor) & ~(Vmx | TscDeadline)) | (tscDeadline ? TscDeadline : 0);
                leaf.edx = cpuCount > 1 ? leaf.edx | Htt : leaf.edx & ~Htt;
                break;
            case 0x4 when (leaf.eax & 0x1F) != 0:
                leaf.eax = (leaf.eax & 0x0000_3FFF) | (CacheSharers(leaf.eax, ids) << 14) | (Math.Min(ids - 1, 63) << 26);
                break;
            case 0x8000_0001:
                leaf.ecx = (leaf.ecx & ~(Svm | CmpLegacy)) | (cpuCount > 1 ? CmpLegacy : 0);
                break;
            case 0x8000_0008:
                leaf.ecx = (leaf.ecx & ~0xF0FFu) | (CoreBits(cpuCount) << 12) | Math.Min(cpuCount - 1, 255);
                break;
            case 0x8000_001D when (leaf.eax & 0x1F) != 0:
                leaf.eax = (leaf.eax & 0x0000_3FFF) | (CacheSharers(leaf.eax, ids) << 14);
                break;
            case 0x8000_001E:
                leaf.eax = apicId;
                leaf.ebx = apicId & 0xFF; // One thread per core.
                leaf.ecx = 0; // One node.
                break;
        }

        return leaf;
    }

    /// <summary>Level 3 is shared by all cores, the others are a core's own. The field holds the number of ids less one.</summary>
    private static uint CacheSharers(uint eax, uint ids) => ((eax >> 5) & 7) >= 3 ? Math.Min(ids - 1, 0xFFF) : 0;

    private static void AddExtendedTopology(List<kvm_cpuid_entry2> table, uint apicId, uint cpuCount)
    {
        // SPEC: EAX = bits to shift the x2APIC id by to get to the next level, EBX = logical CPUs at this level, ECX = level, EDX = id.
        table.Add(Topology(0, 0, 1, SmtLevel, apicId));
        table.Add(Topology(1, CoreBits(cpuCount), cpuCount, CoreLevel, apicId));
        table.Add(Topology(2, 0, 0, 0, apicId));
    }

    private static kvm_cpuid_entry2 Topology(uint index, uint eax, uint ebx, uint type, uint apicId) => new()
    {
        function = 0xB,
        index = index,
        flags = KvmConstants.KVM_CPUID_FLAG_SIGNIFCANT_INDEX,
        eax = eax,
        ebx = ebx,
        ecx = index | type,
        edx = apicId,
    };

    private static uint MaximumLeaf(ReadOnlySpan<kvm_cpuid_entry2> supported)
    {
        foreach (ref readonly kvm_cpuid_entry2 leaf in supported)
        {
            if (leaf.function == 0)
            {
                return leaf.eax;
            }
        }

        return 0;
    }
}
