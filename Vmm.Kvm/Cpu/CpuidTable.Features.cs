using Vmm.Kvm.Native;

namespace Vmm.Kvm.Cpu;

// Which features a table has.
internal static partial class CpuidTable
{
    /// <summary>The registers whose bits are features: the guest may use one only where KVM has it.</summary>
    private static readonly (uint Function, uint Index, string Register)[] s_features =
    [
        (0x1, 0, "ECX"), (0x1, 0, "EDX"),
        (0x7, 0, "EBX"), (0x7, 0, "ECX"), (0x7, 0, "EDX"), (0x7, 1, "EAX"), (0x7, 1, "EDX"),
        (0xD, 0, "EAX"), (0xD, 0, "EDX"), (0xD, 1, "EAX"),
        (0x4000_0001, 0, "EAX"),
        (0x8000_0001, 0, "ECX"), (0x8000_0001, 0, "EDX"), (0x8000_0007, 0, "EDX"), (0x8000_0008, 0, "EBX"),
    ];

    internal static bool HasTscDeadline(ReadOnlySpan<kvm_cpuid_entry2> table) => (Register(table, 0x1, 0, "ECX") & TscDeadline) != 0;

    internal static IReadOnlyList<string> FindUnsupported(kvm_cpuid_entry2[] wanted, kvm_cpuid_entry2[] supported)
    {
        List<string> missing = [];
        foreach ((uint function, uint index, string register) in s_features)
        {
            uint bits = Register(wanted, function, index, register) & ~Register(supported, function, index, register) & ~Topological(function, register);
            if (bits != 0)
            {
                missing.Add($"CPUID leaf 0x{function:x}.{index} {register}: KVM on this host lacks the bits 0x{bits:x}");
            }
        }

        return missing;
    }

    /// <summary>Bits that say how many vCPUs there are, not what they can do.</summary>
    private static uint Topological(uint function, string register) => (function, register) switch
    {
        (0x1, "EDX") => Htt,
        (0x1, "ECX") => Hypervisor,
        (0x8000_0001, "ECX") => CmpLegacy,
        _ => 0,
    };

    private static uint Register(ReadOnlySpan<kvm_cpuid_entry2> table, uint function, uint index, string register)
    {
        foreach (ref readonly kvm_cpuid_entry2 leaf in table)
        {
            if (leaf.function == function && leaf.index == index)
            {
                return register switch
                {
                    "EAX" => leaf.eax,
                    "EBX" => leaf.ebx,
                    "ECX" => leaf.ecx,
                    _ => leaf.edx,
                };
            }
        }

        return 0;
    }
}
