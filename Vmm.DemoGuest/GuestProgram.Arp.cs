using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>ARP (RFC 826): replies, and announcements of our own address.</content>
internal sealed partial class GuestProgram
{
    private const int ArpSize = 28;
    private const int ArpOperation = Packet + 6;
    private const int ArpSenderMac = Packet + 8;
    private const int ArpSenderAddress = Packet + 14;
    private const int ArpTargetMac = Packet + 18;
    private const int ArpTargetAddress = Packet + 24;
    private const ulong ArpRequestStart = 0x0100_0406_0008_0100; // Ethernet, IPv4, 6, 4, request
    private const int ArpReply = 0x0200;

    private void HandleArp()
    {
        c.cmp(r14d, Packet + ArpSize);
        c.jb(To(Drop));
        c.mov(rax, ArpRequestStart);
        c.cmp(__qword_ptr[r15 + Packet], rax);
        c.jne(To(Drop));
        c.mov(eax, __dword_ptr[r15 + ArpTargetAddress]);
        c.test(eax, eax);
        c.jz(To(Drop));
        c.cmp(eax, __dword_ptr[rbx + InterfaceLayout.Address]);
        c.jne(To(Drop));
        ClearHeader();
        SwapMacAddresses();
        c.mov(__word_ptr[r15 + ArpOperation], ArpReply);
        // Sender becomes target; then we are the sender.
        c.mov(rax, __qword_ptr[r15 + ArpSenderMac]);
        c.mov(cx, __word_ptr[r15 + (ArpSenderMac + 8)]);
        c.mov(__qword_ptr[r15 + ArpTargetMac], rax);
        c.mov(__word_ptr[r15 + (ArpTargetMac + 8)], cx);
        PutOwnArpSender();
        Count(StatusLayout.ArpReplies);
        c.jmp(To(Send));
    }

    private void PutOwnArpSender()
    {
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.MacAddress]);
        c.mov(cx, __word_ptr[rbx + (InterfaceLayout.MacAddress + 4)]);
        c.mov(__dword_ptr[r15 + ArpSenderMac], eax);
        c.mov(__word_ptr[r15 + (ArpSenderMac + 4)], cx);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.Address]);
        c.mov(__dword_ptr[r15 + ArpSenderAddress], eax);
    }

    /// <summary>
    /// Sends a gratuitous request for our own address on the first pair, in the interface's own buffer; nothing without an address or
    /// while the buffer is out. Changes RBP and what describes a frame, except R15.
    /// </summary>
    private void Announce()
    {
        Label send = c.CreateLabel(), done = c.CreateLabel();
        c.cmp(__dword_ptr[rbx + InterfaceLayout.Address], 0);
        c.je(done);
        c.cmp(__byte_ptr[rbx + InterfaceLayout.OwnFrameBusy], 0);
        c.je(send);
        Place(ref done);
        c.ret();
        Place(ref send);
        c.push(r15);
        c.mov(__byte_ptr[rbx + InterfaceLayout.OwnFrameBusy], 1);
        c.lea(rbp, __[rbx + InterfaceLayout.Pairs]);
        c.mov(r12d, __dword_ptr[rbx + InterfaceLayout.RingMask]);
        c.mov(r13d, Packet + ArpSize);
        c.mov(eax, r12d);
        c.shl(eax, 4);
        c.add(rax, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.mov(r15, __qword_ptr[rax]);
        c.mov(__dword_ptr[rax + 8], r13d);
        c.mov(__dword_ptr[rax + 12], 0);
        ClearHeader();
        c.mov(__dword_ptr[r15 + Destination], -1);
        c.mov(__word_ptr[r15 + (Destination + 4)], -1);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.MacAddress]);
        c.mov(cx, __word_ptr[rbx + (InterfaceLayout.MacAddress + 4)]);
        c.mov(__dword_ptr[r15 + Source], eax);
        c.mov(__word_ptr[r15 + (Source + 4)], cx);
        c.mov(__word_ptr[r15 + EtherType], EtherTypeArp);
        c.mov(rax, ArpRequestStart);
        c.mov(__qword_ptr[r15 + Packet], rax);
        PutOwnArpSender();
        c.mov(__dword_ptr[r15 + ArpTargetMac], 0);
        c.mov(__word_ptr[r15 + (ArpTargetMac + 4)], 0);
        c.mov(__dword_ptr[r15 + ArpTargetAddress], eax);
        c.call(To(Send));
        c.call(To(KickTransmit));
        c.pop(r15);
        c.ret();
    }
}
