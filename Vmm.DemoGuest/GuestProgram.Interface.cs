using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Starts a network interface.</content>
internal sealed partial class GuestProgram
{
    /// <summary>
    /// RBX: the interface, RDI: its registers. Keeps R15; moves Variables.InterfacesEnd when the interface can be driven.
    /// </summary>
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
}
