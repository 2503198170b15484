using Vmm.Kvm.Native;

namespace Vmm.Kvm.Cpu;

// A CPU whose extended state can't be relied on.
internal static partial class CpuidTable
{
    /// <summary>The leaves without XSAVE and what needs it, as far as an emulated CPU has it (no AVX-512); x87 and SSE stay, by FXSAVE.</summary>
    internal static kvm_cpuid_entry2[] WithoutExtendedState(ReadOnlySpan<kvm_cpuid_entry2> supported)
    {
        const uint Fma = 1 << 12, Xsave = 1 << 26, OsXsave = 1 << 27, Avx = 1 << 28, F16c = 1 << 29; // leaf 1 ECX
        const uint Avx2 = 1 << 5;                                                                     // leaf 7 EBX
        const uint Pku = 1 << 3, OsPke = 1 << 4, VectorAes = 1 << 9, VectorPclmulqdq = 1 << 10;       // leaf 7 ECX
        const uint Xop = 1 << 11, Fma4 = 1 << 16;                                                     // leaf 0x8000_0001 ECX
        var table = new List<kvm_cpuid_entry2>(supported.Length);
        foreach (kvm_cpuid_entry2 leaf in supported)
        {
            kvm_cpuid_entry2 entry = leaf;
            switch (leaf.function, leaf.index)
            {
                case (0x1, _):
                    entry.ecx &= ~(Fma | Xsave | OsXsave | Avx | F16c);
                    break;
                case (0x7, 0):
                    entry.ebx &= ~Avx2;
                    entry.ecx &= ~(Pku | OsPke | VectorAes | VectorPclmulqdq);
                    break;
                case (0x8000_0001, _):
                    entry.ecx &= ~(Xop | Fma4);
                    break;
                case (0xD, _):
                    continue;
            }

            table.Add(entry);
        }

        return [.. table];
    }
}
