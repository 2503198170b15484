using System.Runtime.Intrinsics.X86;

namespace Vmm.Kvm.Probe;

/// <summary>
/// Finds out which kind of KVM this is. The CPU decides: without VMX or SVM in CPUID a KVM can only be a software one (kvm_pvm). With one
/// of them the loaded vendor module decides, as a software KVM may be loaded on a capable CPU too.
/// </summary>
internal static class KvmKindDetector
{
    internal const string SoftwareNestedLimitation =
        "this KVM works without the CPU's virtualization (software-nested): the guest's user code runs natively, but each instruction of its kernel "
        + "code is emulated, slowly, and one that KVM's emulator lacks (SSE and AVX arithmetic, cmpxchg16b, xrstor) ends the guest, "
        + "so a stock Linux kernel does not boot here; the demo guest and bare-metal guests do.";

    /// <summary>What this machine has.</summary>
    internal static KvmKind Detect() => Decide(
        HasVmx,
        HasSvm,
        Directory.Exists("/sys/module/kvm_pvm"),
        Directory.Exists("/sys/module/kvm_intel") || Directory.Exists("/sys/module/kvm_amd"));

    internal static KvmKind Decide(bool vmx, bool svm, bool pvmModule, bool vendorModule)
    {
        bool software = (!vmx && !svm) || (pvmModule && !vendorModule);
        return software ? KvmKind.SoftwareNested : vmx ? KvmKind.Vmx : KvmKind.Svm;
    }

    // SPEC: CPUID leaf 1 ECX bit 5 (VMX); leaf 0x8000_0001 ECX bit 2 (SVM).
    private static bool HasVmx => (X86Base.CpuId(1, 0).Ecx & (1 << 5)) != 0;

    private static bool HasSvm => (uint)X86Base.CpuId(unchecked((int)0x8000_0000), 0).Eax >= 0x8000_0001
        && (X86Base.CpuId(unchecked((int)0x8000_0001), 0).Ecx & (1 << 2)) != 0;
}
