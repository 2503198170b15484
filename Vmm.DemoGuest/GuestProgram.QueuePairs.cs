using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Creates an interface's queue pairs.</content>
internal sealed partial class GuestProgram
{
    private const int DescriptorSize = 16;
    private const int DescriptorNext = 1;
    private const int DescriptorWrite = 2;
    private const int ArenaKept = 0x1_0000;

    /// <summary>As many pairs as are offered, allowed, and fit the memory. RDI: registers. Changes all but RBX, RDI, R15.</summary>
    private void CreatePairs()
    {
        Label unlimited = c.CreateLabel(), pair = c.CreateLabel(), done = c.CreateLabel(), room = c.CreateLabel();
        c.push(r15);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.BufferSize]);
        c.add(eax, (2 * DescriptorSize) + 2 + 2 + 8 + 8);
        c.mul(__dword_ptr[rbx + InterfaceLayout.RingSize]);
        c.lea(rcx, __[rax + 1024]);
        c.mov(rax, __qword_ptr[Variables.RamEnd]);
        c.sub(rax, __qword_ptr[Variables.ArenaNext]);
        c.sub(rax, ArenaKept);
        c.jae(room);
        c.xor(eax, eax); // Earlier interfaces have taken all.
        Place(ref room);
        c.xor(edx, edx);
        c.div(rcx);
        c.mov(r13, rax);
        c.mov(ecx, InterfaceLayout.MaximumPairs);
        TakeLess(r13d, ecx);
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.OfferedPairs]);
        TakeLess(r13d, ecx);
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("queues=")], 0);
        c.je(unlimited);
        c.mov(ecx, __dword_ptr[Variables.QueuePairLimit]);
        TakeLess(r13d, ecx);
        Place(ref unlimited);

        c.xor(r14d, r14d);
        Place(ref pair);
        c.cmp(r14d, r13d);
        c.jae(done);
        c.mov(ebp, r14d);
        c.shl(ebp, QueuePairLayout.SizeShift);
        c.lea(rbp, __[rbx + rbp + InterfaceLayout.Pairs]);
        c.mov(__dword_ptr[rbp + QueuePairLayout.Index], r14d);
        c.lea(eax, __[r14 + r14]);
        c.mov(__dword_ptr[rbp + QueuePairLayout.ReceiveQueue], eax);
        c.inc(eax);
        c.mov(__dword_ptr[rbp + QueuePairLayout.TransmitQueue], eax);
        CreateRing(
            QueuePairLayout.ReceiveDescriptors, QueuePairLayout.ReceiveUsedEvent, QueuePairLayout.ReceiveAvailableEvent,
            QueuePairLayout.ReceiveQueue);
        c.jc(done);
        CreateRing(
            QueuePairLayout.TransmitDescriptors, QueuePairLayout.TransmitUsedEvent, QueuePairLayout.TransmitAvailableEvent,
            QueuePairLayout.TransmitQueue);
        c.jc(done);
        c.call(To(FillPair));
        c.inc(r14d);
        c.jmp(pair);
        Place(ref done);
        c.mov(__dword_ptr[rbx + InterfaceLayout.PairCount], r14d);
        c.pop(r15);
        c.ret();
    }

    private void TakeLess(AssemblerRegister32 value, AssemblerRegister32 limit)
    {
        c.cmp(limit, value);
        c.cmovb(value, limit);
    }

    /// <summary>Allocates the three parts of a ring; the fields for them follow one another. Carry when the device refuses.</summary>
    private void CreateRing(int fields, int usedEvent, int availableEvent, int queue)
    {
        c.mov(r12d, __dword_ptr[rbx + InterfaceLayout.RingSize]);
        c.push(rdi);
        c.mov(ecx, r12d);
        c.shl(ecx, 4);
        c.call(To(Allocate));
        c.mov(__qword_ptr[rbp + fields], rax);
        c.lea(ecx, __[r12 + r12 + 6]);
        c.call(To(Allocate));
        c.mov(__qword_ptr[rbp + (fields + 8)], rax);
        c.lea(rax, __[rax + (r12 * 2) + 4]);
        c.mov(__qword_ptr[rbp + usedEvent], rax);
        c.lea(ecx, __[(r12 * 8) + 6]);
        c.call(To(Allocate));
        c.mov(__qword_ptr[rbp + (fields + 16)], rax);
        c.lea(rax, __[rax + (r12 * 8) + 4]);
        c.mov(__qword_ptr[rbp + availableEvent], rax);
        c.pop(rdi);

        // No interrupts until the main loop asks for them.
        c.mov(rax, __qword_ptr[rbp + (fields + 8)]);
        c.mov(cx, __word_ptr[rbx + InterfaceLayout.NoInterrupt]);
        c.mov(__word_ptr[rax], cx);
        c.mov(rax, __qword_ptr[rbp + usedEvent]);
        c.mov(__word_ptr[rax], unchecked((short)0xFFFF));

        c.mov(ecx, __dword_ptr[rbp + queue]);
        c.mov(edx, r12d);
        c.mov(rsi, __qword_ptr[rbp + fields]);
        c.mov(r8, __qword_ptr[rbp + (fields + 8)]);
        c.mov(r9, __qword_ptr[rbp + (fields + 16)]);
        c.call(To(SetUpQueue));
    }

    /// <summary>
    /// Gives each buffer its descriptors, and all buffers but the last to the receive queue. Keeps RBX, RBP, RDI, R12 to R15.
    /// </summary>
    private void FillPair()
    {
        Label buffer = c.CreateLabel();
        // Buffers are not cleared: 16 pairs of rings would be megabytes of it.
        c.mov(r8d, __dword_ptr[rbx + InterfaceLayout.BufferSize]);
        c.mov(r9d, __dword_ptr[rbx + InterfaceLayout.RingSize]);
        c.mov(rax, __qword_ptr[Variables.ArenaNext]);
        c.mov(__qword_ptr[rbp + QueuePairLayout.Buffers], rax);
        c.mov(rdx, r8);
        c.imul(rdx, r9);
        c.add(rdx, rax);
        c.mov(__qword_ptr[Variables.ArenaNext], rdx);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveDescriptors]);
        c.mov(rdx, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.mov(r10, __qword_ptr[rbp + QueuePairLayout.ReceiveAvailable]);
        c.xor(ecx, ecx);
        Place(ref buffer);
        c.mov(__qword_ptr[rsi], rax);
        c.mov(__dword_ptr[rsi + 8], r8d);
        c.mov(__dword_ptr[rsi + 12], DescriptorWrite);
        c.mov(__qword_ptr[rdx], rax);
        c.mov(__word_ptr[r10 + (rcx * 2) + 4], cx);
        c.add(rax, r8);
        c.add(rsi, DescriptorSize);
        c.add(rdx, DescriptorSize);
        c.inc(ecx);
        c.cmp(ecx, r9d);
        c.jb(buffer);
        c.dec(ecx);
        c.mov(__dword_ptr[rbp + QueuePairLayout.ReceivePosted], ecx);
        c.mov(__word_ptr[rbp + QueuePairLayout.ReceiveAvailableIndex], cx);
        c.mov(__word_ptr[rbp + QueuePairLayout.ReceiveNotified], cx);
        c.mov(__word_ptr[r10 + 2], cx);
        c.ret();
    }
}
