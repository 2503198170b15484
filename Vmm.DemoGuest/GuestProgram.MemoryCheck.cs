using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>
/// The memory self-check. Each word of the region holds a function of its address and of the generation that wrote it; a slice at
/// a time, the former generation is verified and the next one written. Generation 0 only writes.
/// </content>
internal sealed partial class GuestProgram
{
    private const ulong AddressFactor = 0x9E37_79B9_7F4A_7C15;
    private const ulong GenerationFactor = 0xC2B2_AE3D_27D4_EB4F;

    /// <summary>Checks one slice. Changes all scratch registers.</summary>
    private void CheckSlice()
    {
        Label word = c.CreateLabel(), write = c.CreateLabel(), bad = c.CreateLabel(), done = c.CreateLabel();
        Label next = c.CreateLabel();
        c.mov(rsi, __qword_ptr[Variables.CheckPosition]);
        c.cmp(rsi, __qword_ptr[Variables.CheckEnd]);
        c.jae(done); // An empty region.
        c.mov(rdi, __qword_ptr[Variables.CheckGeneration]);
        c.mov(rax, GenerationFactor);
        c.mov(r9, rdi);
        c.imul(r9, rax); // what the former generation mixed in
        c.lea(r10, __[r9 + rax]); // what this one does
        c.mov(r11, AddressFactor);
        c.mov(r8, rsi);
        c.imul(r8, r11);
        c.shl(r11, 3);
        c.mov(ecx, __dword_ptr[Variables.CheckSliceWords]);

        Place(ref word);
        c.test(rdi, rdi);
        c.jz(write);
        c.mov(rax, r8);
        c.xor(rax, r9);
        c.cmp(__qword_ptr[rsi], rax);
        c.jne(bad);
        Place(ref write);
        c.mov(rax, r8);
        c.xor(rax, r10);
        c.mov(__qword_ptr[rsi], rax);
        c.add(r8, r11);
        c.add(rsi, 8);
        c.dec(ecx);
        c.jnz(word);
        c.cmp(rsi, __qword_ptr[Variables.CheckEnd]);
        c.jb(next);
        c.mov(esi, GuestLayout.CheckedMemory);
        c.inc(__qword_ptr[Variables.CheckGeneration]);
        c.test(rdi, rdi);
        c.jz(next);
        c.inc(__qword_ptr[Variables.CheckPasses]);
        Place(ref next);
        c.mov(__qword_ptr[Variables.CheckPosition], rsi);
        Place(ref done);
        c.ret();

        Place(ref bad);
        c.inc(__qword_ptr[Variables.CheckErrors]);
        c.cmp(__qword_ptr[Variables.CheckFirstBad], 0);
        c.jne(write);
        c.mov(__qword_ptr[Variables.CheckFirstBad], rsi);
        c.jmp(write);
    }
}
