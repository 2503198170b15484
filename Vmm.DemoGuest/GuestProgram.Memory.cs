using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>What lies above the image: the checked region, then the arena for rings and buffers.</content>
internal sealed partial class GuestProgram
{
    private const int WaitingSlice = 4096;
    private const int PollingSlice = 1024;

    /// <summary>Ends, with a sentence, on a machine whose RAM does not hold the checked region and an arena.</summary>
    private void RequireMemory()
    {
        Label enough = c.CreateLabel();
        c.cmp(__qword_ptr[Variables.RamEnd], GuestLayout.MinimumRam);
        c.jae(enough);
        c.mov(rax, __qword_ptr[Variables.RamEnd]);
        c.shr(rax, 20);
        c.call(To(PutDecimal));
        PrintLine($" MiB of RAM are too little; {GuestLayout.MinimumRam >> 20} MiB are needed.");
        c.mov(al, DemoGuestImage.TooLittleRamExit);
        c.jmp(To(DebugExit));
        Place(ref enough);
        c.ret();
    }

    private void PrepareMemory()
    {
        Label checkGiven = c.CreateLabel(), maskGiven = c.CreateLabel(), fits = c.CreateLabel(), waiting = c.CreateLabel();
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("check=")], 0);
        c.jne(checkGiven);
        c.mov(__qword_ptr[Variables.CheckSize], GuestLayout.DefaultCheckSize);
        Place(ref checkGiven);
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("features=")], 0);
        c.jne(maskGiven);
        c.mov(__qword_ptr[Variables.FeatureMask], -1);
        Place(ref maskGiven);

        // Whole slices, and no more than leaves the arena some room; RequireMemory saw to it that this is not negative.
        c.mov(rax, __qword_ptr[Variables.RamEnd]);
        c.sub(rax, GuestLayout.CheckedMemory + GuestLayout.ArenaReserve);
        c.and(rax, -WaitingSlice);
        c.mov(rcx, __qword_ptr[Variables.CheckSize]);
        c.cmp(rcx, rax);
        c.jbe(fits);
        c.mov(rcx, rax);
        Place(ref fits);
        c.add(rcx, WaitingSlice - 1);
        c.and(rcx, -WaitingSlice);
        c.mov(__qword_ptr[Variables.CheckSize], rcx);
        c.mov(__qword_ptr[Variables.CheckPosition], GuestLayout.CheckedMemory);
        c.add(rcx, GuestLayout.CheckedMemory);
        c.mov(__qword_ptr[Variables.CheckEnd], rcx);
        c.mov(__qword_ptr[Variables.ArenaNext], rcx);

        // A polling loop checks little at a time: what it measures is how long it was away.
        c.mov(__dword_ptr[Variables.CheckSliceWords], PollingSlice / 8);
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("poll")], 0);
        c.jne(waiting);
        c.mov(__dword_ptr[Variables.CheckSliceWords], WaitingSlice / 8);
        Place(ref waiting);
        c.ret();
    }

    /// <summary>
    /// ECX: bytes. RAX: zeroed memory from the arena, aligned to a cache line. Changes RCX, RDI. The caller has seen to it that there
    /// is enough.
    /// </summary>
    private void Allocate()
    {
        c.mov(rdi, __qword_ptr[Variables.ArenaNext]);
        c.push(rdi);
        c.lea(rax, __[rdi + rcx + 63]);
        c.and(rax, -64);
        c.mov(__qword_ptr[Variables.ArenaNext], rax);
        c.mov(rcx, rax);
        c.sub(rcx, rdi);
        c.xor(eax, eax);
        c.rep.stosb();
        c.pop(rax);
        c.ret();
    }
}
