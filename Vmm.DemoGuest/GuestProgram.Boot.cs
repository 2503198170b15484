using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>From ring 0 in long mode to the main loop in ring 3.</content>
internal sealed partial class GuestProgram
{
    private const int StartInfoMagic = 0x336E_C578;
    private const int StartInfoCommandLine = 24;
    private const int StartInfoMemoryMap = 40;
    private const int StartInfoMemoryMapEntries = 48;
    private const int LinuxHeaderMagic = 0x5372_6448;

    /// <summary>e_entry: long mode with a loader's own tables; RSI or RBX at hvm_start_info, or RSI at boot_params.</summary>
    private void StartInLongMode()
    {
        Label found = c.CreateLabel();
        c.cli();
        c.cld();
        c.mov(esp, GuestLayout.KernelStackTop);
        c.cmp(__dword_ptr[rsi], StartInfoMagic);
        c.cmove(rbx, rsi);
        c.je(found);
        c.cmp(__dword_ptr[rsi + 0x202], LinuxHeaderMagic);
        c.jne(found);
        // boot_params: take its command line, by a start_info of our own that holds nothing else.
        c.mov(eax, __dword_ptr[rsi + 0x228]);
        c.mov(ebx, GuestLayout.CommandLine);
        c.mov(__dword_ptr[rbx], StartInfoMagic);
        c.mov(__qword_ptr[rbx + StartInfoCommandLine], rax);
        c.mov(__qword_ptr[rbx + StartInfoMemoryMap], 0);
        Place(ref found);
        c.lgdt(__[DataSegment.GlobalDescriptorPointer]);
        c.mov(eax, GuestLayout.PageMapLevel4);
        c.mov(cr3, rax);
        c.mov(rax, cr4);
        c.or(eax, 0x600); // OSFXSR, OSXMMEXCPT
        c.mov(cr4, rax);
        Print(DemoGuestImage.Banner);
        c.push(DataSegment.KernelCode);
        c.lea(rax, __[To(EnterUserMode)]);
        c.push(rax);
        c.AddInstruction(Instruction.Create(Code.Retfq));
    }

    /// <summary>RBX: hvm_start_info. The rest of what only ring 0 may do.</summary>
    private void EnterUserMode()
    {
        c.mov(esp, GuestLayout.KernelStackTop);
        c.mov(eax, DataSegment.KernelData);
        c.mov(ss, ax);
        c.mov(eax, DataSegment.TaskRegister);
        c.ltr(ax);
        c.lidt(__[DataSegment.InterruptDescriptorPointer]);
        // Interrupts come by the I/O APIC: mask both legacy controllers.
        c.mov(al, 0xFF);
        c.@out(0x21, al);
        c.@out(0xA1, al);
        c.push(DataSegment.UserData);
        c.push(GuestLayout.UserStackTop);
        c.push(0x202);
        c.push(DataSegment.UserCode);
        c.lea(rax, __[To(Start)]);
        c.push(rax);
        c.iretq();
    }

    /// <summary>Ring 3 starts here. RBX: hvm_start_info.</summary>
    private void Start()
    {
        c.mov(ebx, ebx);
        ReadTicks();
        c.mov(__qword_ptr[Variables.StartTicks], rax);
        c.mov(__dword_ptr[Variables.UartRoom], 0);
        c.call(To(ReadStartInfo));
        c.call(To(RequireMemory));
        c.call(To(ParseCommandLine));
        c.call(To(PrepareMemory));
        c.call(To(PrintStart));
        c.call(To(RunTestHooks));
        c.call(To(EnableLocalApic));
        c.call(To(ProbeDevices));
        PrintLine("demo guest: ready");
        c.jmp(To(MainLoop));
    }

    /// <summary>Copies the command line and finds the end of RAM, before anything overwrites what the loader left.</summary>
    private void ReadStartInfo()
    {
        Label noCommandLine = c.CreateLabel(), entry = c.CreateLabel(), next = c.CreateLabel(), done = c.CreateLabel();
        Label copy = c.CreateLabel(), copied = c.CreateLabel();
        c.mov(__qword_ptr[Variables.RamEnd], GuestLayout.AssumedRam);
        c.cmp(__dword_ptr[rbx], StartInfoMagic);
        c.jne(done);
        c.mov(r8, __qword_ptr[rbx + StartInfoMemoryMap]);
        c.mov(r9d, __dword_ptr[rbx + StartInfoMemoryMapEntries]);
        c.mov(rsi, __qword_ptr[rbx + StartInfoCommandLine]);
        c.test(rsi, rsi);
        c.jz(noCommandLine);
        c.mov(edi, GuestLayout.CommandLine);
        c.mov(ecx, GuestLayout.CommandLineSize - 1);
        Place(ref copy);
        c.lodsb();
        c.stosb();
        c.test(al, al);
        c.jz(copied);
        c.dec(ecx);
        c.jnz(copy);
        Place(ref copied);
        c.mov(__byte_ptr[GuestLayout.CommandLine + GuestLayout.CommandLineSize - 1], 0);
        Place(ref noCommandLine);
        c.test(r8, r8);
        c.jz(done);

        // The entry of type 1 (RAM) that holds the image tells where RAM ends.
        Place(ref entry);
        c.test(r9d, r9d);
        c.jz(done);
        c.cmp(__dword_ptr[r8 + 16], 1);
        c.jne(next);
        c.mov(rax, __qword_ptr[r8]);
        c.cmp(rax, GuestLayout.Image);
        c.ja(next);
        c.add(rax, __qword_ptr[r8 + 8]);
        c.cmp(rax, GuestLayout.ImageEnd);
        c.jbe(next);
        c.mov(ecx, unchecked((int)GuestLayout.RamLimit));
        c.cmp(rax, rcx);
        c.cmova(rax, rcx);
        c.mov(__qword_ptr[Variables.RamEnd], rax);
        c.jmp(done);
        Place(ref next);
        c.add(r8, 24);
        c.dec(r9d);
        c.jmp(entry);
        Place(ref done);
        c.ret();
    }

    private void PrintStart()
    {
        Print("ring 3, ");
        c.mov(rax, __qword_ptr[Variables.RamEnd]);
        c.shr(rax, 20);
        c.call(To(PutDecimal));
        Print(" MiB, checking ");
        c.mov(rax, __qword_ptr[Variables.CheckSize]);
        c.shr(rax, 10);
        c.call(To(PutDecimal));
        Print(" KiB");
        PrintLineEnd();
        c.ret();
    }

    /// <summary>RAX = the time-stamp counter. Changes RDX.</summary>
    private void ReadTicks()
    {
        c.rdtsc();
        c.shl(rdx, 32);
        c.or(rax, rdx);
    }
}
