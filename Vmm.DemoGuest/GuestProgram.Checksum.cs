using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>The Internet checksum (RFC 1071).</content>
internal sealed partial class GuestProgram
{
    /// <summary>RSI: address, ECX: bytes. EAX: their one's complement sum in 16 bits, as they lie. Changes RCX, RDX, RSI.</summary>
    private void SumBytes()
    {
        Label words = c.CreateLabel(), tail = c.CreateLabel(), noPair = c.CreateLabel(), done = c.CreateLabel();
        c.xor(eax, eax);
        c.mov(edx, ecx);
        c.shr(edx, 2);
        c.jz(tail);
        c.push(rdi);
        Place(ref words);
        c.mov(edi, __dword_ptr[rsi]);
        c.add(rax, rdi);
        c.add(rsi, 4);
        c.dec(edx);
        c.jnz(words);
        c.pop(rdi);
        Place(ref tail);
        c.test(cl, 2);
        c.jz(noPair);
        c.movzx(edx, __word_ptr[rsi]);
        c.add(rax, rdx);
        c.add(rsi, 2);
        Place(ref noPair);
        c.test(cl, 1);
        c.jz(done);
        c.movzx(edx, __byte_ptr[rsi]);
        c.add(rax, rdx);
        Place(ref done);
        // 64 bits to 32, then twice to 16: each fold may carry once.
        c.mov(rdx, rax);
        c.shr(rdx, 32);
        c.add(eax, edx);
        c.adc(eax, 0);
        for (int i = 0; i < 2; i++)
        {
            c.mov(edx, eax);
            c.shr(edx, 16);
            c.movzx(eax, ax);
            c.add(eax, edx);
        }
        c.ret();
    }

    /// <summary>
    /// Finishes the checksum that the header asks for, over all buffers of the frame (virtio 1.2 section 5.1.6.2.1). Carry when the
    /// header's offsets lie
    /// outside the first buffer. Keeps RDX and R8.
    /// </summary>
    private void FinishChecksum()
    {
        Label buffer = c.CreateLabel(), even = c.CreateLabel(), done = c.CreateLabel(), fail = c.CreateLabel(), notZero = c.CreateLabel();
        c.push(rdx);
        c.push(r8);
        c.movzx(r8d, __word_ptr[r15 + HeaderChecksumStart]);
        c.add(r8d, HeaderSize);
        c.movzx(r9d, __word_ptr[r15 + HeaderChecksumOffset]);
        c.add(r9d, r8d);
        c.lea(eax, __[r9 + 2]);
        c.cmp(eax, r14d);
        c.ja(fail);

        // R10: sum, R11D: bytes so far, EDI: descriptor. A buffer that starts at an odd offset contributes its sum with the bytes swapped.
        c.xor(r10d, r10d);
        c.xor(r11d, r11d);
        c.lea(rsi, __[r15 + r8]);
        c.mov(ecx, r14d);
        c.sub(ecx, r8d);
        c.mov(edi, r12d);
        c.shl(edi, 4);
        c.add(rdi, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        Place(ref buffer);
        c.push(rcx);
        c.call(To(SumBytes));
        c.pop(rcx);
        c.test(r11b, 1);
        c.jz(even);
        c.xchg(ah, al);
        Place(ref even);
        c.add(r10, rax);
        c.add(r11d, ecx);
        c.mov(eax, __dword_ptr[rdi + 12]);
        c.test(al, DescriptorNext);
        c.jz(done);
        c.shr(eax, 16);
        c.shl(eax, 4);
        c.mov(rdi, rax);
        c.add(rdi, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.mov(rsi, __qword_ptr[rdi]);
        c.mov(ecx, __dword_ptr[rdi + 8]);
        c.jmp(buffer);

        Place(ref done);
        for (int i = 0; i < 2; i++)
        {
            c.mov(rax, r10);
            c.shr(rax, 16);
            c.movzx(r10d, r10w);
            c.add(r10d, eax);
        }
        c.not(r10d);
        c.test(r10w, r10w);
        c.jnz(notZero);
        c.dec(r10d); // A zero would mean "no checksum" to UDP; both are the same number.
        Place(ref notZero);
        c.mov(__word_ptr[r15 + r9], r10w);
        ClearHeader();
        c.pop(r8);
        c.pop(rdx);
        c.clc();
        c.ret();
        Place(ref fail);
        c.pop(r8);
        c.pop(rdx);
        c.stc();
        c.ret();
    }
}
