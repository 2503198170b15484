using Vmm.Core.Hypervisor;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Cpu;

/// <summary>Puts the first vCPU where a boot protocol wants it. FPU and SSE stay as KVM creates them: FCW 0x37F, MXCSR 0x1F80.</summary>
internal static class EntryState
{
    private const ulong CR0_PE = 1, CR0_MP = 1 << 1, CR0_ET = 1 << 4, CR0_NE = 1 << 5, CR0_WP = 1 << 16, CR0_PG = 1u << 31;
    private const ulong CR4_PAE = 1 << 5, CR4_OSFXSR = 1 << 9, CR4_OSXMMEXCPT = 1 << 10;
    private const ulong EFER_LME = 1 << 8, EFER_LMA = 1 << 10;
    private const ulong RFLAGS_RESERVED = 1 << 1;

    private const ushort Code32 = 0x08, Data = 0x10, Tss = 0x18, Code64 = 0x20;
    private const ushort LinuxCode = 0x10, LinuxData = 0x18, LinuxTss = 0x20;
    private const ushort DescriptorTableLimit = Code64 + 8 - 1;

    // Segment types (Intel SDM volume 3, 3.4.5.1 and 3.5).
    private const byte ExecuteReadAccessed = 0xB, ReadWriteAccessed = 0x3, BusyTss = 0xB;

    internal static void Apply(KvmVcpu vcpu, CpuEntry entry)
    {
        // From the reset state on, so that what is not named below (APIC base, LDT) keeps what KVM gave it.
        kvm_sregs special = vcpu.GetSpecialRegisters();
        bool longMode = entry.Mode != CpuMode.Protected32;
        (ushort code, ushort data, ushort task) = entry.Mode switch
        {
            CpuMode.Linux64 => (LinuxCode, LinuxData, LinuxTss),
            CpuMode.Long64 => (Code64, Data, Tss),
            _ => (Code32, Data, Tss),
        };
        special.cs = Segment(code, ExecuteReadAccessed, is64: longMode);
        special.ds = special.es = special.fs = special.gs = special.ss = Segment(data, ReadWriteAccessed, is64: false);
        special.tr = new kvm_segment { selector = task, limit = 0x67, type = BusyTss, present = 1 };
        special.gdt = new kvm_dtable { @base = entry.DescriptorTable.Value, limit = entry.DescriptorTable.Value == 0 ? (ushort)0 : DescriptorTableLimit };
        special.idt = default; // The first exception without an IDT is a triple fault, and that is reported.

        // SPEC: Xen PVH: CR0 has PE alone, CR4 is clear, paging is off.
        special.cr0 = longMode ? CR0_PE | CR0_MP | CR0_ET | CR0_NE | CR0_WP | CR0_PG : CR0_PE | CR0_ET;
        special.cr3 = longMode ? entry.PageTable.Value : 0;
        special.cr4 = longMode ? CR4_PAE | CR4_OSFXSR | CR4_OSXMMEXCPT : 0;
        special.efer = longMode ? EFER_LME | EFER_LMA : 0;
        vcpu.SetSpecialRegisters(in special);

        var registers = new kvm_regs { rip = entry.InstructionPointer.Value, rflags = RFLAGS_RESERVED };
        if (longMode)
        {
            registers.rsi = entry.StartInfo.Value;
        }
        else
        {
            registers.rbx = entry.StartInfo.Value;
        }

        vcpu.SetRegisters(in registers);
    }

    private static kvm_segment Segment(ushort selector, byte type, bool is64) => new()
    {
        selector = selector,
        limit = 0xFFFF_FFFF,
        type = type,
        present = 1,
        s = 1,
        g = 1,
        l = is64 ? (byte)1 : (byte)0,
        db = is64 ? (byte)0 : (byte)1,
    };
}
