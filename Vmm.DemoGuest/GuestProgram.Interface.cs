using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Starts a network interface.</content>
internal sealed partial class GuestProgram
{
    private const int ConfigurationStatus = VirtioMmio.Configuration + 6;
    private const int ConfigurationPairs = VirtioMmio.Configuration + 8;
    private const int ConfigurationMtu = VirtioMmio.Configuration + 10;
    private const int HeaderSize = 12;
    private const int LargestRing = 256;
    private const int LargestRingOfLargeBuffers = 32;
    private const int MergedBufferSize = 2048;

    /// <summary>At least the 65,562 bytes that virtio 1.2 section 5.1.6.3.1 asks for.</summary>
    private const int LargeBufferSize = 66560;

    /// <summary>RBX: the interface, RDI: its registers. Keeps R15; moves Variables.InterfacesEnd when the interface can be driven.</summary>
    private void InitializeInterface()
    {
        Label fail = c.CreateLabel(), oneQueue = c.CreateLabel();
        c.call(To(ResetDevice));
        c.call(To(NegotiateFeatures));
        c.jc(fail);
        c.call(To(ReadConfiguration));
        c.call(To(ChooseSizes));
        c.call(To(CreatePairs));
        c.cmp(__dword_ptr[rbx + InterfaceLayout.PairCount], 0);
        c.je(fail);
        c.call(To(CreateControlQueue));
        c.call(To(RouteInterrupt));
        c.mov(rdi, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
        c.mov(__dword_ptr[rdi + VirtioMmio.Status],
            VirtioMmio.StatusAcknowledge | VirtioMmio.StatusDriver | VirtioMmio.StatusFeaturesOk | VirtioMmio.StatusDriverOk);
        c.lea(rax, __[rbx + GuestLayout.InterfaceSize]);
        c.mov(__qword_ptr[Variables.InterfacesEnd], rax);
        c.cmp(__dword_ptr[rbx + InterfaceLayout.PairCount], 1);
        c.je(oneQueue);
        c.call(To(EnablePairs));
        Place(ref oneQueue);
        c.call(To(KickReceiveQueues));
        c.call(To(Announce));
        c.call(To(PrintInterface));
        c.ret();

        Place(ref fail);
        c.mov(rdi, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
        c.mov(__dword_ptr[rdi + VirtioMmio.Status], VirtioMmio.StatusFailed);
        PrintLine("demo guest: a network interface can't be driven");
        c.ret();
    }

    /// <summary>Carry when the device isn't a modern one or does not agree.</summary>
    private void NegotiateFeatures()
    {
        Label done = c.CreateLabel(), fail = c.CreateLabel();
        c.call(To(ReadFeatures));
        c.bt(rax, VirtioNetFeatures.Version1);
        c.jnc(fail);
        c.mov(rdx, __qword_ptr[Variables.FeatureMask]);
        c.mov(rcx, VirtioNetFeatures.Supported);
        c.and(rax, rcx);
        c.and(rax, rdx);
        c.bts(rax, VirtioNetFeatures.Version1);
        foreach ((byte feature, byte needs) in VirtioNetFeatures.Requirements)
        {
            Label satisfied = c.CreateLabel();
            c.bt(rax, needs);
            c.jc(satisfied);
            c.btr(rax, feature);
            Place(ref satisfied);
        }
        c.mov(__qword_ptr[rbx + InterfaceLayout.Features], rax);
        RememberFeature(VirtioNetFeatures.EventIndex, InterfaceLayout.HasEventIndex);
        // SPEC: virtio 1.2 section 2.7.7.1: with event indices the flags stay 0.
        c.setnc(__byte_ptr[rbx + InterfaceLayout.NoInterrupt]);
        RememberFeature(VirtioNetFeatures.MergedReceiveBuffers, InterfaceLayout.HasMergedBuffers);
        RememberFeature(VirtioNetFeatures.Checksum, InterfaceLayout.HasChecksumOffload);
        foreach ((byte segmentationType, byte feature) in VirtioNetFeatures.Sending)
        {
            Label lacking = c.CreateLabel();
            c.bt(rax, feature);
            c.jnc(lacking);
            c.or(__dword_ptr[rbx + InterfaceLayout.SendableSegmentation], 1 << segmentationType);
            Place(ref lacking);
        }
        c.call(To(WriteFeatures));
        c.test(al, al);
        c.jz(fail);
        c.clc();
        c.jmp(done);
        Place(ref fail);
        c.stc();
        Place(ref done);
        c.ret();
    }

    private void RememberFeature(byte feature, int flag)
    {
        c.bt(rax, feature);
        c.setc(__byte_ptr[rbx + flag]);
    }

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

    /// <summary>Size of buffers and rings: small merged buffers, or buffers that hold the longest frame that may come.</summary>
    private void ChooseSizes()
    {
        Label chosen = c.CreateLabel(), large = c.CreateLabel(), unlimited = c.CreateLabel();
        c.mov(rdx, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.mov(ecx, LargestRing);
        c.mov(esi, MergedBufferSize);
        c.bt(rdx, VirtioNetFeatures.MergedReceiveBuffers);
        c.jc(chosen);
        c.mov(rax, VirtioNetFeatures.LargeReceive);
        c.test(rdx, rax);
        c.jnz(large);
        c.mov(eax, __dword_ptr[rbx + InterfaceLayout.Mtu]);
        c.add(eax, HeaderSize + 18 + 63); // Ethernet with a VLAN tag
        c.and(eax, -64);
        c.cmp(eax, esi);
        c.jbe(chosen);
        Place(ref large);
        c.mov(esi, LargeBufferSize);
        c.mov(ecx, LargestRingOfLargeBuffers);
        Place(ref chosen);
        c.mov(__dword_ptr[rbx + InterfaceLayout.BufferSize], esi);

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
        c.mov(__dword_ptr[rbx + InterfaceLayout.RingSize], eax);
        c.dec(eax);
        c.mov(__dword_ptr[rbx + InterfaceLayout.RingMask], eax);
        c.ret();
    }

    private void KickReceiveQueues()
    {
        Label pair = c.CreateLabel();
        c.xor(ecx, ecx);
        c.mov(rdi, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
        Place(ref pair);
        c.lea(eax, __[rcx + rcx]);
        c.mov(__dword_ptr[rdi + VirtioMmio.QueueNotify], eax);
        c.inc(ecx);
        c.cmp(ecx, __dword_ptr[rbx + InterfaceLayout.PairCount]);
        c.jb(pair);
        c.ret();
    }

    private void PrintInterface()
    {
        Print("demo guest: net");
        PrintField(InterfaceLayout.Index, PutDecimal);
        Print(" mac ");
        for (int i = 0; i < 6; i++)
        {
            if (i > 0)
            {
                c.mov(al, (sbyte)':');
                c.call(To(PutCharacter));
            }
            c.mov(al, __byte_ptr[rbx + (InterfaceLayout.MacAddress + i)]);
            c.call(To(PutByte));
        }
        Print(" ip ");
        for (int i = 0; i < 4; i++)
        {
            if (i > 0)
            {
                c.mov(al, (sbyte)'.');
                c.call(To(PutCharacter));
            }
            c.movzx(eax, __byte_ptr[rbx + (InterfaceLayout.Address + i)]);
            c.call(To(PutDecimal));
        }
        Print(" pairs ");
        PrintField(InterfaceLayout.PairCount, PutDecimal);
        Print(" ring ");
        PrintField(InterfaceLayout.RingSize, PutDecimal);
        Print(" mtu ");
        PrintField(InterfaceLayout.Mtu, PutDecimal);
        Print(" features ");
        c.mov(rax, __qword_ptr[rbx + InterfaceLayout.Features]);
        c.call(To(PutHexadecimal));
        PrintLineEnd();
        c.ret();
    }

    private void PrintField(int field, Action put)
    {
        c.mov(eax, __dword_ptr[rbx + field]);
        c.call(To(put));
    }
}
