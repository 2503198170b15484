namespace Vmm.Kvm.State;

/// <summary>
/// Model-specific registers that KVM keeps for a vCPU and does not name in KVM_GET_MSR_INDEX_LIST. A host has some of them:
/// each is tried. No other is writable by a guest and yet in none of KVM's lists and structs, as long as nobody gives the vCPU
/// MCG_CMCI_P (KVM_X86_SETUP_MCE), Hyper-V's CPUID leaves, or SVM.
/// </summary>
internal static class UnlistedMsrs
{
    /// <summary>KVM_NR_VAR_MTRR: ranges of physical memory with a type of their own, a base and a mask each.</summary>
    private const int VariableRanges = 8;

    /// <summary>KVM_MAX_MCE_BANKS; IA32_MCG_CAP says how many there are.</summary>
    private const int MachineCheckBanks = 32;

    private const uint IA32_SGXLEPUBKEYHASH0 = 0x8C;
    private const uint IA32_MTRR_PHYSBASE0 = 0x200;
    private const uint IA32_MTRR_FIX64K_00000 = 0x250;
    private const uint IA32_MTRR_FIX16K_80000 = 0x258;
    private const uint IA32_MTRR_FIX16K_A0000 = 0x259;
    private const uint IA32_MTRR_FIX4K_C0000 = 0x268;
    private const uint IA32_MTRR_DEF_TYPE = 0x2FF;
    private const uint IA32_MCG_CTL = 0x17B;
    private const uint IA32_MC0_CTL = 0x400;
    private const uint TSC_AUX = 0xC000_0103;
    private const uint AMD64_OSVW_ID_LENGTH = 0xC001_0140;
    private const uint AMD64_OSVW_STATUS = 0xC001_0141;

    /// <summary>All of them, in the order in which they are set.</summary>
    // ORDER: MTRR_DEF_TYPE switches the ranges on, so it comes after them. The rest has no order: KVM takes a value of MCi_STATUS from
    // the host whatever HWCR.McStatusWrEn says, and MCi_CTL only takes 0 and all ones, which is all that a guest could set.
    internal static uint[] All { get; } =
    [
        .. Range(IA32_MTRR_PHYSBASE0, 2 * VariableRanges),
        IA32_MTRR_FIX64K_00000,
        IA32_MTRR_FIX16K_80000,
        IA32_MTRR_FIX16K_A0000,
        .. Range(IA32_MTRR_FIX4K_C0000, 8),
        IA32_MTRR_DEF_TYPE,
        IA32_MCG_CTL,
        .. Range(IA32_MC0_CTL, 4 * MachineCheckBanks), // CTL, STATUS, ADDR, MISC of each bank
        .. Range(IA32_SGXLEPUBKEYHASH0, 4),
        TSC_AUX,
        AMD64_OSVW_ID_LENGTH,
        AMD64_OSVW_STATUS,
    ];

    private static IEnumerable<uint> Range(uint first, int count) => Enumerable.Range((int)first, count).Select(index => (uint)index);
}
