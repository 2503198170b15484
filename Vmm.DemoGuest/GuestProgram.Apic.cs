using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Local and I/O APIC, both programmed from ring 3: their pages are the user's, too.</content>
internal sealed partial class GuestProgram
{
    private const uint LocalApicId = GuestLayout.LocalApic + 0x20;
    private const uint LocalApicEndOfInterrupt = GuestLayout.LocalApic + 0xB0;
    private const uint LocalApicSpurious = GuestLayout.LocalApic + 0xF0;
    private const uint IoApicSelect = GuestLayout.IoApic;
    private const uint IoApicWindow = GuestLayout.IoApic + 0x10;

    private void EnableLocalApic()
    {
        c.mov(eax, unchecked((int)LocalApicSpurious));
        c.mov(__dword_ptr[rax], 0x100 | SpuriousVector);
        c.ret();
    }

    /// <summary>
    /// Routes the interface's pin to its vector, on this processor. Edge-triggered: kvm_pvm ends an interrupt when it delivers it, so
    /// that a level
    /// would come again and again before ring 3 could acknowledge it. No edge is lost, because everything is acknowledged and then the
    /// rings are looked at.
    /// </summary>
    private void RouteInterrupt()
    {
        c.mov(edx, unchecked((int)LocalApicId));
        c.mov(edx, __dword_ptr[rdx]);
        c.and(edx, unchecked((int)0xFF00_0000)); // The destination is in the same bits of the entry's upper half.
        c.mov(esi, unchecked((int)IoApicSelect));
        c.mov(edi, unchecked((int)IoApicWindow));
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.Interrupt]);
        c.lea(ecx, __[rcx + rcx + 0x11]);
        c.mov(__dword_ptr[rsi], ecx);
        c.mov(__dword_ptr[rdi], edx);
        c.dec(ecx);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.Index]);
        c.and(eax, InterfaceVectors - 1);
        c.add(eax, FirstInterfaceVector);
        c.mov(__dword_ptr[rsi], ecx);
        c.mov(__dword_ptr[rdi], eax);
        c.ret();
    }
}
