using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>UDP port 9: the answer is a <see cref="DemoGuestStatus"/>, or <see cref="DemoGuestGaps"/>.</content>
internal sealed partial class GuestProgram
{
    private const int UdpHeader = 8;

    /// <summary>R8: UDP header. Only over IPv4, in one buffer that holds the request.</summary>
    private void HandleStatusRequest()
    {
        Label keepGap = c.CreateLabel(), itself = c.CreateLabel(), notZero = c.CreateLabel(), noRequest = c.CreateLabel();
        c.cmp(__word_ptr[r15 + EtherType], EtherTypeIp4);
        c.jne(To(Drop));
        c.cmp(r13d, r14d);
        c.jne(To(Drop));
        c.mov(ax, __word_ptr[r8]);
        c.cmp(ax, StatusPort);
        c.je(To(Drop));
        // R10D: the request's first byte, 0 when it has none.
        c.xor(r10d, r10d);
        c.mov(ax, __word_ptr[r8 + 4]);
        c.xchg(ah, al);
        c.cmp(ax, UdpHeader + 1);
        c.jb(noRequest);
        c.lea(rax, __[r8 + (UdpHeader + 1)]);
        c.sub(rax, r15);
        c.cmp(rax, r14);
        c.ja(noRequest);
        c.movzx(r10d, __byte_ptr[r8 + UdpHeader]);
        Place(ref noRequest);
        Count(StatusLayout.StatusRequests);
        c.call(To(RefreshStatus));
        c.lea(rdi, __[r8 + UdpHeader]);
        c.lea(rsi, __[rbx + InterfaceLayout.Status]);
        c.test(r10b, StatusLayout.RequestGaps);
        c.jz(itself);
        c.mov(esi, Variables.Gaps);
        c.mov(__dword_ptr[rsi + GapLayout.Magic], (int)GapLayout.MagicValue);
        c.mov(__dword_ptr[rsi + GapLayout.Version], GapLayout.VersionValue | (StatusLayout.Size << 16));
        Place(ref itself);
        c.mov(ecx, StatusLayout.Size);
        c.rep.movsb();
        c.test(r10b, StatusLayout.RequestResetGap);
        c.jz(keepGap);
        c.mov(__qword_ptr[Variables.LongestGap], 0);
        Place(ref keepGap);

        ClearHeader();
        SwapMacAddresses();
        c.mov(eax, __dword_ptr[r15 + Ip4Source]);
        c.mov(ecx, __dword_ptr[r15 + Ip4Destination]);
        c.mov(__dword_ptr[r15 + Ip4Destination], eax);
        c.mov(__dword_ptr[r15 + Ip4Source], ecx);
        c.rol(__dword_ptr[r8], 16);
        c.mov(__dword_ptr[r8 + 4], SwapBytes(UdpHeader + StatusLayout.Size)); // and no checksum yet
        // R9D: length of the IP header; R13D: of it all.
        c.mov(r9, r8);
        c.sub(r9, r15);
        c.lea(r13d, __[r9 + (UdpHeader + StatusLayout.Size)]);
        c.sub(r9d, Packet);
        c.lea(eax, __[r9 + (UdpHeader + StatusLayout.Size)]);
        c.xchg(ah, al);
        c.mov(__word_ptr[r15 + (Packet + 2)], ax);
        c.mov(__word_ptr[r15 + Ip4Checksum], 0);
        c.lea(rsi, __[r15 + Packet]);
        c.mov(ecx, r9d);
        c.call(To(SumBytes));
        c.not(eax);
        c.mov(__word_ptr[r15 + Ip4Checksum], ax);

        // The pseudo-header: both addresses, protocol, length.
        c.mov(rsi, r8);
        c.mov(ecx, UdpHeader + StatusLayout.Size);
        c.call(To(SumBytes));
        c.mov(ecx, __dword_ptr[r15 + Ip4Source]);
        c.add(rax, rcx);
        c.mov(ecx, __dword_ptr[r15 + Ip4Destination]);
        c.add(rax, rcx);
        c.add(rax, (ProtocolUdp << 8) + SwapBytes(UdpHeader + StatusLayout.Size));
        for (int i = 0; i < 3; i++)
        {
            c.mov(rdx, rax);
            c.shr(rdx, 16);
            c.movzx(eax, ax);
            c.add(rax, rdx);
        }
        c.not(eax);
        c.test(ax, ax);
        c.jnz(notZero);
        c.dec(eax);
        Place(ref notZero);
        c.mov(__word_ptr[r8 + 6], ax);

        c.mov(eax, r12d);
        c.shl(eax, 4);
        c.add(rax, __qword_ptr[rbp + QueuePairLayout.TransmitDescriptors]);
        c.mov(__dword_ptr[rax + 8], r13d);
        c.jmp(To(Send));
    }

    private static int SwapBytes(int value) => ((value & 0xFF) << 8) | (value >> 8);

    /// <summary>Brings up to date what is not counted in the structure itself. Changes RAX, RDX, RSI.</summary>
    private void RefreshStatus()
    {
        const int Status = InterfaceLayout.Status;
        c.mov(__dword_ptr[rbx + Status], (int)StatusLayout.MagicValue);
        c.mov(__dword_ptr[rbx + (Status + StatusLayout.Version)], StatusLayout.VersionValue | (StatusLayout.Size << 16));
        ReadTicks();
        c.sub(rax, __qword_ptr[Variables.StartTicks]);
        c.mov(__qword_ptr[rbx + (Status + StatusLayout.Uptime)], rax);
        CopyToStatus(StatusLayout.LongestGap, Variables.LongestGap);
        CopyToStatus(StatusLayout.Iterations, Variables.Iterations);
        CopyToStatus(StatusLayout.CheckPasses, Variables.CheckPasses);
        CopyToStatus(StatusLayout.CheckErrors, Variables.CheckErrors);
        CopyToStatus(StatusLayout.CheckFirstBad, Variables.CheckFirstBad);
        CopyToStatus(StatusLayout.CheckSize, Variables.CheckSize);
        CopyToStatus(StatusLayout.ClockErrors, Variables.ClockErrors);
        c.mov(rax, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.mov(__qword_ptr[rbx + (Status + StatusLayout.Features)], rax);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.Index]);
        c.mov(__word_ptr[rbx + (Status + StatusLayout.InterfaceIndex)], ax);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.PairCount]);
        c.mov(__word_ptr[rbx + (Status + StatusLayout.QueuePairs)], ax);
        c.movzx(eax, __byte_ptr[CommandLineOption.SeenFlag("poll")]);
        c.mov(__dword_ptr[rbx + (Status + StatusLayout.Flags)], eax);
        c.ret();
    }

    private void CopyToStatus(int field, int variable)
    {
        c.mov(rax, __qword_ptr[variable]);
        c.mov(__qword_ptr[rbx + (InterfaceLayout.Status + field)], rax);
    }
}
