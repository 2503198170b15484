using System.Runtime.InteropServices;
using System.Runtime.Intrinsics.X86;

namespace Vmm.Kvm.Cpu;

/// <summary>The CPU that this process runs on, where it matters whose it is.</summary>
internal static class HostCpu
{
    /// <summary>
    /// QEMU's emulator (TCG) as the CPU of a nested KVM. It does not tell KVM of a guest's XSETBV (seen with QEMU 7.2 on SVM): KVM takes XCR0 for what it
    /// was, CPUID leaf 0xD gives the wrong size, and what the guest keeps by XSAVE is lost. Linux 7.2 crashes by that at its start.
    /// </summary>
    internal static bool IsTcg()
    {
        (int eax, int ebx, int ecx, int edx) = X86Base.CpuId(0x4000_0000, 0);
        return eax >= 0x4000_0000 && IsTcg([ebx, ecx, edx]);
    }

    /// <param name="signature">EBX, ECX and EDX of leaf 0x4000_0000.</param>
    internal static bool IsTcg(ReadOnlySpan<int> signature) => MemoryMarshal.AsBytes(signature).SequenceEqual("TCGTCGTCGTCG"u8);
}
