using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>What a received frame is, and what all answers have in common.</content>
internal sealed partial class GuestProgram
{
    // struct virtio_net_hdr at R15 (virtio 1.2 section 5.1.6), then the frame.
    private const int HeaderFlags = 0;
    private const int HeaderSegmentationType = 1;
    private const int HeaderChecksumStart = 6;
    private const int HeaderChecksumOffset = 8;
    private const int HeaderBuffers = 10;
    private const int NeedsChecksum = 1;

    private const int Destination = HeaderSize;
    private const int Source = HeaderSize + 6;
    private const int EtherType = HeaderSize + 12;
    private const int Packet = HeaderSize + 14;

    // Numbers of the network, as a little-endian machine reads them.
    private const int EtherTypeIp4 = 0x0008;
    private const int EtherTypeArp = 0x0608;
    private const int EtherTypeIp6 = unchecked((short)0xDD86);
    private const int EtherTypeRaw = unchecked((short)0xB588);

    private void HandleFrame()
    {
        Label ours = c.CreateLabel(), group = c.CreateLabel();
        c.cmp(r14d, Packet);
        c.jb(To(Drop));
        c.movzx(eax, __word_ptr[r15 + EtherType]);
        c.mov(ecx, __dword_ptr[r15 + Destination]);
        c.test(cl, 1);
        c.jnz(group);
        c.cmp(ecx, __dword_ptr[rbx + InterfaceLayout.MacAddress]);
        c.jne(To(Drop));
        c.mov(cx, __word_ptr[r15 + (Destination + 4)]);
        c.cmp(cx, __word_ptr[rbx + (InterfaceLayout.MacAddress + 4)]);
        c.jne(To(Drop));
        c.cmp(ax, EtherTypeIp4);
        c.je(To(HandleIp4));
        c.cmp(ax, EtherTypeIp6);
        c.je(To(HandleIp6));
        Place(ref group);
        c.cmp(ax, EtherTypeArp);
        c.je(To(HandleArp));
        c.cmp(ax, EtherTypeRaw);
        c.je(To(HandleRaw));
        c.jmp(To(Drop));
    }

    /// <summary>EtherType 0x88B5, for experiments: back as it came.</summary>
    private void HandleRaw()
    {
        c.call(To(PrepareReply));
        c.jc(To(Drop));
        SwapMacAddresses();
        Count(StatusLayout.RawEchoes);
        c.jmp(To(Send));
    }

    private void SwapMacAddresses()
    {
        c.mov(eax, __dword_ptr[r15 + Source]);
        c.mov(cx, __word_ptr[r15 + (Source + 4)]);
        c.mov(__dword_ptr[r15 + Destination], eax);
        c.mov(__word_ptr[r15 + (Destination + 4)], cx);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.MacAddress]);
        c.mov(cx, __word_ptr[rbx + (InterfaceLayout.MacAddress + 4)]);
        c.mov(__dword_ptr[r15 + Source], eax);
        c.mov(__word_ptr[r15 + (Source + 4)], cx);
    }

    private void Count(int counter) => c.inc(__qword_ptr[rbx + (InterfaceLayout.Status + counter)]);

    /// <summary>
    /// Makes the received header one to send with: the wish for segmentation stays, if that may be sent, and an unfinished
    /// checksum stays unfinished, or is finished here where the device does not do it. Carry when the frame can't be sent.
    /// </summary>
    private void PrepareReply()
    {
        Label noSegmentation = c.CreateLabel(), done = c.CreateLabel();
        c.mov(__word_ptr[r15 + HeaderBuffers], 0);
        c.and(__byte_ptr[r15 + HeaderFlags], NeedsChecksum);
        c.movzx(eax, __byte_ptr[r15 + HeaderSegmentationType]);
        c.test(eax, eax);
        c.jz(noSegmentation);
        c.cmp(eax, 32);
        c.cmc();
        c.jc(done);
        c.bt(__dword_ptr[rbx + InterfaceLayout.SendableSegmentation], eax);
        c.cmc();
        Place(ref done);
        c.ret();
        Place(ref noSegmentation);
        c.test(__byte_ptr[r15 + HeaderFlags], NeedsChecksum);
        c.jz(done); // Carry is clear.
        c.cmp(__byte_ptr[rbx + InterfaceLayout.HasChecksumOffload], 1);
        c.jc(To(FinishChecksum));
        c.ret();
    }

    /// <summary>No offloads: for frames whose checksums are complete.</summary>
    private void ClearHeader()
    {
        c.mov(__qword_ptr[r15], 0);
        c.mov(__dword_ptr[r15 + 8], 0);
    }
}
