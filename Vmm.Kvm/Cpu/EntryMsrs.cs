using Vmm.Kvm.Native;
using Vmm.Kvm.State;

namespace Vmm.Kvm.Cpu;

/// <summary>What a PC's firmware sets on every CPU and KVM leaves as it is after a reset.</summary>
internal static class EntryMsrs
{
    private const uint IA32_MISC_ENABLE = 0x1A0;
    private const uint IA32_MTRR_DEF_TYPE = 0x2FF;

    /// <summary>Without it Linux does without the fast string instructions on Intel's CPUs, to copy and to clear pages.</summary>
    private const ulong FastStrings = 1 << 0;

    /// <summary>MTRRs are on, and all memory is write-back. Without them Linux before 6.3 does without PAT, too.</summary>
    private const ulong MtrrEnable = 1 << 11, WriteBack = 6;

    /// <summary>A register that this KVM does not have stays out.</summary>
    internal static void Apply(KvmVcpu vcpu)
    {
        Change(vcpu, IA32_MISC_ENABLE, value => value | FastStrings);
        Change(vcpu, IA32_MTRR_DEF_TYPE, _ => MtrrEnable | WriteBack);
    }

    private static void Change(KvmVcpu vcpu, uint index, Func<ulong, ulong> change)
    {
        MsrBuffer register = new([index]);
        if (register.Call(vcpu, KvmIoctl.KVM_GET_MSRS, 0, 1) == 1)
        {
            register.Entries[0].data = change(register.Entries[0].data);
            _ = register.Call(vcpu, KvmIoctl.KVM_SET_MSRS, 0, 1);
        }
    }
}
