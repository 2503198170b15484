using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Transmitting, and asking for interrupts before going idle.</content>
internal sealed partial class GuestProgram
{
    /// <summary>Sends the frame's chain, whose header is ready, on the pair that it came from.</summary>
    private void Send()
    {
        c.inc(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.SentFrames)]);
        c.lea(eax, __[r13 - HeaderSize]);
        c.add(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.SentBytes)], rax);
        c.mov(eax, __dword_ptr[rbp + QueuePairLayout.Index]);
        c.inc(__qword_ptr[rbx + (rax * 8) + (InterfaceLayout.Status + StatusLayout.PairSent)]);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.TransmitAvailable]);
        c.movzx(ecx, __word_ptr[rbp + QueuePairLayout.TransmitAvailableIndex]);
        c.mov(edx, ecx);
        c.and(edx, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.mov(__word_ptr[rsi + (rdx * 2) + 4], r12w);
        c.inc(ecx);
        c.mov(__word_ptr[rbp + QueuePairLayout.TransmitAvailableIndex], cx);
        // ORDER: the entry, then the index; x86 keeps stores in order.
        c.mov(__word_ptr[rsi + 2], cx);
        c.ret();
    }

    /// <summary>Gives the frame's buffers back unanswered.</summary>
    private void Drop()
    {
        c.inc(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.Dropped)]);
        c.mov(eax, r12d);
        c.jmp(To(PostChain));
    }

    /// <summary>Buffers of frames that were sent go back to the receive queue.</summary>
    private void ReapTransmitted()
    {
        Label next = c.CreateLabel(), taken = c.CreateLabel();
        c.mov(r8, __qword_ptr[rbp + QueuePairLayout.TransmitUsed]);
        Place(ref next);
        c.movzx(ecx, __word_ptr[rbp + QueuePairLayout.TransmitLastUsed]);
        c.cmp(cx, __word_ptr[r8 + 2]);
        c.jne(taken);
        c.ret();
        Place(ref taken);
        c.mov(__dword_ptr[Variables.Worked], 1);
        c.mov(edx, ecx);
        c.and(edx, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.mov(eax, __dword_ptr[r8 + (rdx * 8) + 4]);
        c.inc(ecx);
        c.mov(__word_ptr[rbp + QueuePairLayout.TransmitLastUsed], cx);
        c.cmp(eax, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.ja(To(DeviceFault));
        c.call(To(PostChain));
        c.jmp(next);
    }

    private void KickTransmit() => Kick(
        QueuePairLayout.TransmitAvailableIndex, QueuePairLayout.TransmitNotified, QueuePairLayout.TransmitUsed,
        QueuePairLayout.TransmitAvailableEvent, QueuePairLayout.TransmitQueue);

    /// <summary>Emits: tell the device of new entries, if it wants to be told (a notification costs an exit).</summary>
    private void Kick(int availableIndex, int notified, int used, int availableEvent, int queue)
    {
        Label done = c.CreateLabel(), byFlag = c.CreateLabel(), notify = c.CreateLabel();
        c.movzx(eax, __word_ptr[rbp + availableIndex]);
        c.movzx(ecx, __word_ptr[rbp + notified]);
        c.cmp(eax, ecx);
        c.je(done);
        c.mov(__word_ptr[rbp + notified], ax);
        // ORDER: our index must be visible before we look whether the device waits for it.
        c.mfence();
        c.cmp(__byte_ptr[rbx + InterfaceLayout.HasEventIndex], 0);
        c.je(byFlag);
        // SPEC: virtio 1.2 section 2.7.10.1: (new - event - 1) < (new - old), in 16 bits.
        c.mov(rdx, __qword_ptr[rbp + availableEvent]);
        c.movzx(edx, __word_ptr[rdx]);
        c.mov(esi, eax);
        c.sub(esi, edx);
        c.dec(esi);
        c.movzx(esi, si);
        c.sub(eax, ecx);
        c.movzx(eax, ax);
        c.cmp(esi, eax);
        c.jb(notify);
        c.ret();
        Place(ref byFlag);
        c.mov(rdx, __qword_ptr[rbp + used]);
        c.test(__byte_ptr[rdx], 1);
        c.jnz(done);
        Place(ref notify);
        c.mov(rdx, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
        c.mov(eax, __dword_ptr[rbp + queue]);
        c.mov(__dword_ptr[rdx + VirtioMmio.QueueNotify], eax);
        Place(ref done);
        c.ret();
    }

    /// <summary>
    /// Asks for an interrupt by the next frame received, and, when half of the buffers are out, by the next one sent: their return must
    /// not wait
    /// for a frame that has no buffer to come in. Sets Variables.Worked when there is something already.
    /// </summary>
    private void ArmPair()
    {
        Label setTransmit = c.CreateLabel(), done = c.CreateLabel(), worked = c.CreateLabel();
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveUsedEvent]);
        c.mov(ax, __word_ptr[rbp + QueuePairLayout.ReceiveLastUsed]);
        c.mov(__word_ptr[rsi], ax);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveAvailable]);
        c.mov(__word_ptr[rsi], 0);
        c.mov(dx, __word_ptr[rbp + QueuePairLayout.TransmitLastUsed]);
        c.xor(edi, edi);
        c.mov(ecx, __dword_ptr[rbp + QueuePairLayout.ReceivePosted]);
        c.add(ecx, ecx);
        c.cmp(ecx, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.jb(setTransmit);
        c.dec(edx); // An event just passed is 65,535 frames away.
        c.mov(di, __word_ptr[rbx + InterfaceLayout.NoInterrupt]);
        Place(ref setTransmit);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.TransmitUsedEvent]);
        c.mov(__word_ptr[rsi], dx);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.TransmitAvailable]);
        c.mov(__word_ptr[rsi], di);
        // ORDER: the wish must be visible before we look for the last time.
        c.mfence();
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.ReceiveUsed]);
        c.cmp(__word_ptr[rsi + 2], ax);
        c.jne(worked);
        c.mov(rsi, __qword_ptr[rbp + QueuePairLayout.TransmitUsed]);
        c.mov(ax, __word_ptr[rbp + QueuePairLayout.TransmitLastUsed]);
        c.cmp(__word_ptr[rsi + 2], ax);
        c.je(done);
        Place(ref worked);
        c.mov(__dword_ptr[Variables.Worked], 1);
        Place(ref done);
        c.ret();
    }
}
