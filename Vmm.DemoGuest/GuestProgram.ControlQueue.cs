using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>The control queue: how many pairs are in use, and that an announcement was made.</content>
internal sealed partial class GuestProgram
{
    private const int ControlRingSize = 4;
    private const int ClassAnnounce = 3;
    private const int ClassMultiQueue = 4;

    /// <summary>Creates the control queue where one was negotiated. RDI: registers. It is small: one command at a time.</summary>
    private void CreateControlQueue()
    {
        Label done = c.CreateLabel(), noMultiQueue = c.CreateLabel();
        c.mov(rdx, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.bt(rdx, VirtioNetFeatures.ControlQueue);
        c.jnc(done);
        // SPEC: virtio 1.2 section 5.1.2: the control queue follows the offered pairs, whether used or not.
        c.mov(ecx, 2);
        c.bt(rdx, VirtioNetFeatures.MultiQueue);
        c.jnc(noMultiQueue);
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.OfferedPairs]);
        c.add(ecx, ecx);
        Place(ref noMultiQueue);
        c.mov(__dword_ptr[rbx + InterfaceLayout.ControlQueue], ecx);
        c.push(rdi);
        c.mov(ecx, 3 * 64);
        c.call(To(Allocate));
        c.pop(rdi);
        c.mov(__qword_ptr[rbx + InterfaceLayout.ControlDescriptors], rax);
        c.mov(rsi, rax);
        c.lea(r8, __[rax + 64]);
        c.lea(r9, __[rax + 128]);
        c.mov(__qword_ptr[rbx + InterfaceLayout.ControlAvailable], r8);
        c.mov(__qword_ptr[rbx + InterfaceLayout.ControlUsed], r9);
        c.mov(cx, __word_ptr[rbx + InterfaceLayout.NoInterrupt]);
        c.mov(__word_ptr[r8], cx);
        // With event indices this says "none before 65,535 commands".
        c.mov(__word_ptr[r8 + (4 + (2 * ControlRingSize))], unchecked((short)0xFFFF));

        // Descriptor 0: the command, whose length each caller sets; descriptor 1: the one byte of the answer.
        c.lea(rcx, __[rbx + InterfaceLayout.ControlCommand]);
        c.mov(__qword_ptr[rsi], rcx);
        c.mov(__dword_ptr[rsi + 12], DescriptorNext | (1 << 16));
        c.lea(rcx, __[rbx + InterfaceLayout.ControlAnswer]);
        c.mov(__qword_ptr[rsi + 16], rcx);
        c.mov(__dword_ptr[rsi + 24], 1);
        c.mov(__dword_ptr[rsi + 28], DescriptorWrite);
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.ControlQueue]);
        c.mov(edx, ControlRingSize);
        c.call(To(SetUpQueue));
        Place(ref done);
        c.ret();
    }

    /// <summary>Tells the device how many pairs are in use; if it refuses, one pair it is.</summary>
    private void EnablePairs()
    {
        Label accepted = c.CreateLabel();
        c.mov(__word_ptr[rbx + InterfaceLayout.ControlCommand], ClassMultiQueue);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.PairCount]);
        c.mov(__word_ptr[rbx + (InterfaceLayout.ControlCommand + 2)], ax);
        c.mov(ecx, 4);
        c.call(To(SendCommand));
        c.test(al, al);
        c.jz(accepted);
        c.mov(__dword_ptr[rbx + InterfaceLayout.PairCount], 1);
        Place(ref accepted);
        c.ret();
    }

    /// <summary>ECX: bytes of the command. Waits for the answer (0: done), which comes in AL. Changes RAX, RCX, RDX, RSI.</summary>
    private void SendCommand()
    {
        Label wait = c.CreateLabel();
        c.mov(rsi, __qword_ptr[rbx + InterfaceLayout.ControlDescriptors]);
        c.mov(__dword_ptr[rsi + 8], ecx);
        c.mov(__byte_ptr[rbx + InterfaceLayout.ControlAnswer], unchecked((sbyte)0xFF));
        c.mov(rsi, __qword_ptr[rbx + InterfaceLayout.ControlAvailable]);
        // The ring's entries are all 0, the head of the one chain.
        c.inc(__word_ptr[rbx + InterfaceLayout.ControlIndex]);
        c.movzx(eax, __word_ptr[rbx + InterfaceLayout.ControlIndex]);
        c.mov(__word_ptr[rsi + 2], ax);
        c.mfence();
        c.mov(rsi, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.ControlQueue]);
        c.mov(__dword_ptr[rsi + VirtioMmio.QueueNotify], ecx);
        c.mov(rsi, __qword_ptr[rbx + InterfaceLayout.ControlUsed]);
        Place(ref wait);
        c.pause();
        c.cmp(__word_ptr[rsi + 2], ax);
        c.jne(wait);
        c.mov(al, __byte_ptr[rbx + InterfaceLayout.ControlAnswer]);
        c.ret();
    }

    /// <summary>
    /// Looks at what may change in the configuration: the link's state, and the wish for an announcement (after the machine has moved).
    /// RDI: registers.
    /// </summary>
    private void ReadLinkStatus()
    {
        Label done = c.CreateLabel(), noLinkChange = c.CreateLabel(), down = c.CreateLabel(), printed = c.CreateLabel();
        c.mov(rax, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.bt(rax, VirtioNetFeatures.Status);
        c.jnc(done);
        c.movzx(r8d, __word_ptr[rdi + ConfigurationStatus]);
        c.mov(eax, r8d);
        c.and(al, 1);
        c.cmp(__byte_ptr[rbx + InterfaceLayout.LinkUp], al);
        c.je(noLinkChange);
        c.mov(__byte_ptr[rbx + InterfaceLayout.LinkUp], al);
        Print("demo guest: net");
        PrintField(InterfaceLayout.Index, PutDecimal);
        c.cmp(__byte_ptr[rbx + InterfaceLayout.LinkUp], 0);
        c.je(down);
        PrintLine(" link up");
        c.jmp(printed);
        Place(ref down);
        PrintLine(" link down");
        Place(ref printed);
        Place(ref noLinkChange);
        c.test(r8b, 2);
        c.jz(done);
        c.mov(rax, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.bt(rax, VirtioNetFeatures.GuestAnnounce);
        c.jnc(done);
        c.call(To(Announce));
        c.mov(__word_ptr[rbx + InterfaceLayout.ControlCommand], ClassAnnounce);
        c.mov(ecx, 2);
        c.call(To(SendCommand));
        Place(ref done);
        c.ret();
    }
}
