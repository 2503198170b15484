using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Receiving: from the used ring to a frame, and buffers back to the receive queue.</content>
internal sealed partial class GuestProgram
{
    /// <summary>Frames of one pair before the device is told of the answers.</summary>
    private const int Batch = 64;

    /// <summary>Takes back what was sent, answers what was received, and tells the device.</summary>
    private void ServePair()
    {
        Label frame = c.CreateLabel(), done = c.CreateLabel(), busy = c.CreateLabel();
        c.call(To(ReapTransmitted));
        c.mov(rdx, __qword_ptr[rbp + QueuePairLayout.ReceiveUsed]);
        c.mov(ax, __word_ptr[rdx + 2]);
        c.cmp(ax, __word_ptr[rbp + QueuePairLayout.ReceiveLastUsed]);
        c.jne(busy);
        c.jmp(To(KickReceive));
        Place(ref busy);
        c.mov(rdx, __qword_ptr[rbp + QueuePairLayout.ReceiveAvailable]);
        c.mov(ax, __word_ptr[rbx + InterfaceLayout.NoInterrupt]);
        c.mov(__word_ptr[rdx], ax); // None while we are looking.
        c.push(Batch);
        Place(ref frame);
        c.call(To(TakeFrame));
        c.jc(done);
        c.mov(__dword_ptr[Variables.Worked], 1);
        c.call(To(HandleFrame));
        c.dec(__dword_ptr[rsp]);
        c.jnz(frame);
        Place(ref done);
        c.pop(rax);
        c.call(To(KickReceive));
        c.jmp(To(KickTransmit));
    }

    /// <summary>
    /// Takes the next frame from the used ring: sets R12 to R15, and links the transmit descriptors of its buffers to a chain. Carry when
    /// there is none, or not yet all of it.
    /// </summary>
    private void TakeFrame()
    {
        Label none = c.CreateLabel(), single = c.CreateLabel(), buffer = c.CreateLabel(), first = c.CreateLabel();
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveUsed]);
        c.movzx(ecx, __word_ptr[rbp + QueuePairLayout.ReceiveLastUsed]);
        c.movzx(eax, __word_ptr[rsi + 2]);
        c.sub(eax, ecx);
        c.movzx(eax, ax); // How many buffers there are.
        c.test(eax, eax);
        c.jz(none);
        c.mov(r8d, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.mov(r11, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.mov(edx, ecx);
        c.and(edx, r8d);
        c.mov(r12d, __dword_ptr[rsi + (rdx * 8) + 4]);
        c.cmp(r12d, r8d);
        c.ja(To(DeviceFault));
        c.mov(r14d, __dword_ptr[rsi + (rdx * 8) + 8]);
        c.mov(edx, r12d);
        c.shl(edx, 4);
        c.mov(r15, __qword_ptr[r11 + rdx]);
        c.mov(r9d, 1);
        c.cmp(__byte_ptr[rbx + InterfaceLayout.HasMergedBuffers], 0);
        c.je(single);
        c.movzx(edi, __word_ptr[r15 + 10]); // num_buffers
        c.test(edi, edi);
        c.cmovnz(r9d, edi);
        Place(ref single);
        c.cmp(r9d, eax);
        c.ja(none);

        c.sub(__dword_ptr[rbp + QueuePairLayout.ReceivePosted], r9d);
        c.xor(r13d, r13d);
        c.xor(r10d, r10d); // The descriptor before.
        Place(ref buffer);
        c.mov(edx, ecx);
        c.and(edx, r8d);
        c.mov(eax, __dword_ptr[rsi + (rdx * 8) + 4]);
        c.mov(edi, __dword_ptr[rsi + (rdx * 8) + 8]);
        c.cmp(eax, r8d);
        c.ja(To(DeviceFault));
        c.cmp(edi, __dword_ptr[rbx + InterfaceLayout.BufferSize]);
        c.ja(To(DeviceFault));
        c.add(r13d, edi);
        c.mov(edx, eax);
        c.shl(edx, 4);
        c.add(rdx, r11);
        c.mov(__dword_ptr[rdx + 8], edi);
        c.mov(__dword_ptr[rdx + 12], 0);
        c.test(r10, r10);
        c.jz(first);
        c.shl(eax, 16);
        c.or(eax, DescriptorNext);
        c.mov(__dword_ptr[r10 + 12], eax); // flags and next
        Place(ref first);
        c.mov(r10, rdx);
        c.inc(ecx);
        c.dec(r9d);
        c.jnz(buffer);
        c.mov(__word_ptr[rbp + QueuePairLayout.ReceiveLastUsed], cx);

        c.inc(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.ReceivedFrames)]);
        c.lea(eax, __[r13 - HeaderSize]);
        c.add(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.ReceivedBytes)], rax);
        c.mov(eax, __dword_ptr[rbp + QueuePairLayout.Index]);
        c.inc(__qword_ptr[rbx + (rax * 8) + (InterfaceLayout.Status + StatusLayout.PairReceived)]);
        c.clc();
        c.ret();
        Place(ref none);
        c.stc();
        c.ret();
    }

    /// <summary>EAX: first descriptor of a chain, whose buffers go to the receive queue. Changes RAX, RCX, RDX, RSI, RDI.</summary>
    private void PostChain()
    {
        Label buffer = c.CreateLabel(), done = c.CreateLabel(), own = c.CreateLabel();
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveAvailable]);
        Place(ref buffer);
        c.cmp(eax, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.je(own);
        c.movzx(ecx, __word_ptr[rbp + QueuePairLayout.ReceiveAvailableIndex]);
        c.mov(edx, ecx);
        c.and(edx, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.mov(__word_ptr[rsi + (rdx * 2) + 4], ax);
        c.inc(ecx);
        c.mov(__word_ptr[rbp + QueuePairLayout.ReceiveAvailableIndex], cx);
        // ORDER: the entry, then the index; x86 keeps stores in order.
        c.mov(__word_ptr[rsi + 2], cx);
        c.inc(__dword_ptr[rbp + QueuePairLayout.ReceivePosted]);
        c.mov(rdi, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.shl(eax, 4);
        c.mov(ecx, __dword_ptr[rdi + rax + 12]);
        c.test(ecx, DescriptorNext);
        c.jz(done);
        c.mov(eax, ecx);
        c.shr(eax, 16);
        c.jmp(buffer);
        Place(ref done);
        c.ret();
        // The last buffer is the interface's own and is never received into.
        Place(ref own);
        c.mov(__byte_ptr[rbx + InterfaceLayout.OwnFrameBusy], 0);
        c.ret();
    }

    /// <summary>The device returned a buffer that it did not have, or more than fits one.</summary>
    private void DeviceFault()
    {
        Print("demo guest: net");
        PrintField(InterfaceLayout.Index, PutDecimal);
        PrintLine(" device fault: its used ring holds what it can't");
        c.mov(al, DemoGuestImage.DeviceFaultExit);
        c.jmp(To(DebugExit));
    }

    private void KickReceive() => Kick(
        QueuePairLayout.ReceiveAvailableIndex, QueuePairLayout.ReceiveNotified, QueuePairLayout.ReceiveUsed,
        QueuePairLayout.ReceiveAvailableEvent, QueuePairLayout.ReceiveQueue);
}
