using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>What an interface's configuration says, and the sizes that follow from it.</content>
internal sealed partial class GuestProgram
{
    private const int ConfigurationStatus = VirtioMmio.Configuration + 6;
    private const int ConfigurationPairs = VirtioMmio.Configuration + 8;
    private const int ConfigurationMtu = VirtioMmio.Configuration + 10;
    private const int HeaderSize = 12;
    private const int LargestRing = 256;
    private const int LargestRingOfLargeBuffers = 32;
    private const int SmallBufferSize = 2048;

    /// <summary>At least the 65,562 bytes that virtio 1.2 section 5.1.6.3.1 asks for.</summary>
    private const int LargeBufferSize = 66560;

    private void ReadConfiguration()
    {
        Label hasMac = c.CreateLabel(), noMtu = c.CreateLabel(), noQueues = c.CreateLabel(), macDone = c.CreateLabel();
        c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.Index]);
        c.mov(eax, __dword_ptr[(rcx * 4) + Variables.Addresses]);
        c.mov(__dword_ptr[rbx + InterfaceLayout.Address], eax);
        c.mov(__byte_ptr[rbx + InterfaceLayout.LinkUp], 1);

        c.mov(rdx, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.bt(rdx, VirtioNetFeatures.Mac);
        c.jc(hasMac);
        c.mov(__dword_ptr[rbx + InterfaceLayout.MacAddress], 0x6D64_0002); // 02:00:64:6d, locally administered
        c.mov(__byte_ptr[rbx + (InterfaceLayout.MacAddress + 5)], cl);
        c.jmp(macDone);
        Place(ref hasMac);
        for (int i = 0; i < 6; i++)
        {
            c.mov(al, __byte_ptr[rdi + (VirtioMmio.Configuration + i)]);
            c.mov(__byte_ptr[rbx + (InterfaceLayout.MacAddress + i)], al);
        }
        Place(ref macDone);

        c.mov(__dword_ptr[rbx + InterfaceLayout.Mtu], 1500);
        c.bt(rdx, VirtioNetFeatures.Mtu);
        c.jnc(noMtu);
        c.mov(ax, __word_ptr[rdi + ConfigurationMtu]);
        c.mov(__word_ptr[rbx + InterfaceLayout.Mtu], ax);
        Place(ref noMtu);

        c.mov(__dword_ptr[rbx + InterfaceLayout.OfferedPairs], 1);
        c.bt(rdx, VirtioNetFeatures.MultiQueue);
        c.jnc(noQueues);
        c.mov(ax, __word_ptr[rdi + ConfigurationPairs]);
        c.mov(__word_ptr[rbx + InterfaceLayout.OfferedPairs], ax);
        Place(ref noQueues);
        c.ret();
    }

    /// <summary>
    /// Size of rings and buffers: small buffers that are merged, if enough of them are posted for the longest frame, or else buffers
    /// that each hold the
    /// longest frame that may come. RDI: registers.
    /// </summary>
    private void ChooseSizes()
    {
        Label unlimited = c.CreateLabel(), unmerged = c.CreateLabel(), large = c.CreateLabel(), chosen = c.CreateLabel();
        c.mov(ecx, LargestRing);
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("ring=")], 0);
        c.je(unlimited);
        c.mov(eax, __dword_ptr[Variables.RingLimit]);
        c.cmp(eax, ecx);
        c.cmovb(ecx, eax);
        Place(ref unlimited);
        for (int queue = 0; queue < 2; queue++)
        {
            c.mov(__dword_ptr[rdi + VirtioMmio.QueueSelect], queue);
            c.mov(eax, __dword_ptr[rdi + VirtioMmio.QueueSizeMaximum]);
            c.cmp(eax, ecx);
            c.cmovb(ecx, eax);
        }
        // One buffer is kept for frames of our own, so at least two; a split ring's size is a power of two.
        c.or(ecx, 2);
        c.bsr(ecx, ecx);
        c.mov(eax, 1);
        c.shl(eax, cl);

        c.mov(rdx, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.mov(esi, SmallBufferSize);
        c.mov(ecx, LargestRingOfLargeBuffers);
        c.bt(rdx, VirtioNetFeatures.MergedReceiveBuffers);
        c.jnc(unmerged);
        c.cmp(eax, ecx);
        c.ja(chosen);
        Place(ref unmerged);
        c.mov(r8, VirtioNetFeatures.LargeReceive);
        c.test(rdx, r8);
        c.jnz(large);
        c.mov(r8d, __dword_ptr[rbx + InterfaceLayout.Mtu]);
        c.add(r8d, HeaderSize + 18); // Ethernet with a VLAN tag
        c.cmp(r8d, esi);
        c.jbe(chosen);
        Place(ref large);
        c.mov(esi, LargeBufferSize);
        TakeLess(eax, ecx);
        Place(ref chosen);
        c.mov(__dword_ptr[rbx + InterfaceLayout.BufferSize], esi);
        c.mov(__dword_ptr[rbx + InterfaceLayout.RingSize], eax);
        c.dec(eax);
        c.mov(__dword_ptr[rbx + InterfaceLayout.RingMask], eax);
        c.ret();
    }
}
