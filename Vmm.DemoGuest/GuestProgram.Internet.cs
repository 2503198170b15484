using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>
/// IPv4, IPv6 and what they carry. An answer is the request with its addresses and ports exchanged: the sums of RFC 1071 don't mind the
/// order of
/// words, so no checksum changes, finished or not, and payloads are not touched.
/// </content>
internal sealed partial class GuestProgram
{
    private const int ProtocolIcmp = 1;
    private const int ProtocolTcp = 6;
    private const int ProtocolUdp = 17;
    private const int EchoPort = 7 << 8;
    private const int StatusPort = 9 << 8;
    private const int Ip4Fragment = Packet + 6;
    private const int Ip4Protocol = Packet + 9;
    private const int Ip4Checksum = Packet + 10;
    private const int Ip4Source = Packet + 12;
    private const int Ip4Destination = Packet + 16;
    private const int Ip6NextHeader = Packet + 6;
    private const int Ip6Source = Packet + 8;
    private const int Ip6Destination = Packet + 24;
    private const int FragmentOffsetMask = 0xFF1F;

    private void HandleIp4()
    {
        Label notIcmp = c.CreateLabel(), mirror = c.CreateLabel(), fragment = c.CreateLabel();
        c.cmp(r14d, Packet + 20);
        c.jb(To(Drop));
        c.mov(eax, __dword_ptr[r15 + Ip4Destination]);
        c.cmp(eax, __dword_ptr[rbx + InterfaceLayout.Address]);
        c.jne(To(Drop));
        // R8: what the packet carries, behind 20 to 60 bytes of header.
        c.movzx(r8d, __byte_ptr[r15 + Packet]);
        c.mov(eax, r8d);
        c.and(eax, 0xF0);
        c.cmp(eax, 0x40);
        c.jne(To(Drop));
        c.and(r8d, 15);
        c.shl(r8d, 2);
        c.cmp(r8d, 20);
        c.jb(To(Drop));
        c.lea(eax, __[r8 + (Packet + 8)]);
        c.cmp(eax, r14d);
        c.ja(To(Drop));
        c.lea(r8, __[r15 + r8 + Packet]);
        c.movzx(edx, __byte_ptr[r15 + Ip4Protocol]);
        c.test(__word_ptr[r15 + Ip4Fragment], FragmentOffsetMask);
        c.jnz(fragment);
        c.cmp(edx, ProtocolIcmp);
        c.jne(notIcmp);
        c.cmp(__word_ptr[r8], 8); // Echo request, code 0.
        c.jne(To(Drop));
        c.call(To(PrepareReply));
        c.jc(To(Drop));
        c.mov(__byte_ptr[r8], 0);
        c.test(__byte_ptr[r15 + HeaderFlags], NeedsChecksum);
        Label unfinished = c.CreateLabel();
        c.jnz(unfinished);
        // The sum lost 0x0800, so its complement gains as much (RFC 1624); a damaged payload still shows.
        c.add(__word_ptr[r8 + 2], 0x0008);
        c.adc(__word_ptr[r8 + 2], 0);
        Place(ref unfinished);
        Count(StatusLayout.IcmpEchoes);
        c.jmp(mirror);

        Place(ref notIcmp);
        c.call(To(ExchangePorts));
        c.jc(To(Drop));
        Place(ref mirror);
        c.mov(eax, __dword_ptr[r15 + Ip4Source]);
        c.mov(ecx, __dword_ptr[r15 + Ip4Destination]);
        c.mov(__dword_ptr[r15 + Ip4Destination], eax);
        c.mov(__dword_ptr[r15 + Ip4Source], ecx);
        SwapMacAddresses();
        c.jmp(To(Send));

        Place(ref fragment);
        Label mirrored = c.CreateLabel();
        c.cmp(edx, ProtocolIcmp);
        c.je(mirrored);
        c.cmp(edx, ProtocolUdp);
        c.jne(To(Drop));
        Place(ref mirrored);
        c.call(To(PrepareReply));
        c.jc(To(Drop));
        Count(StatusLayout.FragmentsMirrored);
        c.jmp(mirror);
    }

    private void HandleIp6()
    {
        c.cmp(r14d, Packet + 40 + 8);
        c.jb(To(Drop));
        c.movzx(eax, __byte_ptr[r15 + Packet]);
        c.and(eax, 0xF0);
        c.cmp(eax, 0x60);
        c.jne(To(Drop));
        c.lea(r8, __[r15 + (Packet + 40)]);
        c.movzx(edx, __byte_ptr[r15 + Ip6NextHeader]);
        c.call(To(ExchangePorts));
        c.jc(To(Drop));
        for (int i = 0; i < 16; i += 8)
        {
            c.mov(rax, __qword_ptr[r15 + (Ip6Source + i)]);
            c.mov(rcx, __qword_ptr[r15 + (Ip6Destination + i)]);
            c.mov(__qword_ptr[r15 + (Ip6Destination + i)], rax);
            c.mov(__qword_ptr[r15 + (Ip6Source + i)], rcx);
        }
        SwapMacAddresses();
        c.jmp(To(Send));
    }

    /// <summary>
    /// R8: TCP or UDP header, EDX: protocol. Carry when it is not for port 7. A request from port 7 is not answered: it may come from
    /// another of our kind.
    /// A status request doesn't come back from here.
    /// </summary>
    private void ExchangePorts()
    {
        Label tcp = c.CreateLabel(), exchange = c.CreateLabel(), no = c.CreateLabel();
        c.cmp(edx, ProtocolTcp);
        c.je(exchange);
        c.cmp(edx, ProtocolUdp);
        c.jne(no);
        c.cmp(__word_ptr[r8 + 2], StatusPort);
        c.jne(exchange);
        c.pop(rax); // Not to the caller, but to his.
        c.jmp(To(HandleStatusRequest));
        Place(ref exchange);
        c.cmp(__word_ptr[r8 + 2], EchoPort);
        c.jne(no);
        c.cmp(__word_ptr[r8], EchoPort);
        c.je(no);
        c.call(To(PrepareReply));
        c.jc(no);
        c.rol(__dword_ptr[r8], 16);
        c.cmp(edx, ProtocolTcp);
        c.je(tcp);
        Count(StatusLayout.UdpEchoes);
        c.clc();
        c.ret();
        Place(ref tcp);
        Count(StatusLayout.TcpMirrored);
        c.clc();
        c.ret();
        Place(ref no);
        c.stc();
        c.ret();
    }
}
