using System.Globalization;
using System.Text;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.Report;

/// <summary>Writes what a person needs to see of a vCPU that can't go on.</summary>
/// <param name="memory">The guest's RAM, once it is mapped.</param>
/// <param name="limitation">What this KVM can't do, or null.</param>
internal sealed class CrashReporter(Func<GuestMemory?> memory, string? limitation)
{
    private const ulong ResetVector = 0xFFF0;

    internal string Write(KvmVcpu vcpu, string headline)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture, $"vCPU {vcpu.Index}: {headline}\n");
        try
        {
            WriteState(text, vcpu.GetRegisters(), vcpu.GetSpecialRegisters());
        }
        catch (LinuxException exception)
        {
            text.Append(CultureInfo.InvariantCulture, $"(no registers: {exception.Message})\n");
        }

        if (limitation is not null)
        {
            text.Append(CultureInfo.InvariantCulture, $"note: {limitation}\n");
        }

        return text.ToString().TrimEnd('\n');
    }

    private void WriteState(StringBuilder text, in kvm_regs r, in kvm_sregs s)
    {
        if (r.rip == ResetVector && s.cs.selector == 0xF000)
        {
            text.Append("(AMD CPUs reset themselves on a triple fault: the registers below are those after the reset.)\n");
        }

        text.Append(CultureInfo.InvariantCulture, $"rip={r.rip:x16} rflags={r.rflags:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"rax={r.rax:x16} rbx={r.rbx:x16} rcx={r.rcx:x16} rdx={r.rdx:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"rsi={r.rsi:x16} rdi={r.rdi:x16} rbp={r.rbp:x16} rsp={r.rsp:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"r8 ={r.r8:x16} r9 ={r.r9:x16} r10={r.r10:x16} r11={r.r11:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"r12={r.r12:x16} r13={r.r13:x16} r14={r.r14:x16} r15={r.r15:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"cr0={s.cr0:x16} cr2={s.cr2:x16} cr3={s.cr3:x16} cr4={s.cr4:x16}\n");
        text.Append(CultureInfo.InvariantCulture, $"cr8={s.cr8:x} efer={s.efer:x16} apic_base={s.apic_base:x16}\n");
        Segment(text, "cs", s.cs);
        Segment(text, "ss", s.ss);
        Segment(text, "ds", s.ds);
        Segment(text, "es", s.es);
        Segment(text, "fs", s.fs);
        Segment(text, "gs", s.gs);
        Segment(text, "tr", s.tr);
        Segment(text, "ldt", s.ldt);
        text.Append(CultureInfo.InvariantCulture, $"gdt base={s.gdt.@base:x16} limit={s.gdt.limit:x4}\n");
        text.Append(CultureInfo.InvariantCulture, $"idt base={s.idt.@base:x16} limit={s.idt.limit:x4}\n");

        GuestMemory? ram = memory();
        var walk = new PageWalk(ram, s);
        walk.Write(text, s.cs.l != 0 ? r.rip : (uint)(s.cs.@base + r.rip));
        new CodeListing(ram, s, walk).Write(text, r.rip);
    }

    private static void Segment(StringBuilder text, string name, in kvm_segment s)
    {
        text.Append(CultureInfo.InvariantCulture, $"{name,-3} {s.selector:x4} base={s.@base:x16} limit={s.limit:x8} type={s.type:x} dpl={s.dpl}");
        text.Append(s.present != 0 ? " present" : "").Append(s.l != 0 ? " 64-bit" : s.db != 0 ? " 32-bit" : " 16-bit");
        text.Append(s.unusable != 0 ? " unusable\n" : "\n");
    }
}
