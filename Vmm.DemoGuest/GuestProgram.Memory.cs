using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>What lies above the image: the checked region, then the arena for rings and buffers.</content>
internal sealed partial class GuestProgram
{
    private const int DefaultCheckSize = 0x10_0000;
    private const int ArenaReserve = 0x80_0000;
    private const int WaitingSlice = 4096;
    private const int PollingSlice = 1024;

    private void PrepareMemory()
    {
        Label checkGiven = c.CreateLabel(), maskGiven = c.CreateLabel(), fits = c.CreateLabel(), waiting = c.CreateLabel();
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("check=")], 0);
        c.jne(checkGiven);
        c.mov(__qword_ptr[Variables.CheckSize], DefaultCheckSize);
        Place(ref checkGiven);
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("features=")], 0);
        c.jne(maskGiven);
        c.mov(__qword_ptr[Variables.FeatureMask], -1);
        Place(ref maskGiven);

        // Whole slices, and no more than leaves the arena some room.
        c.mov(rax, __qword_ptr[Variables.RamEnd]);
        c.sub(rax, GuestLayout.CheckedMemory + ArenaReserve);
        c.mov(rcx, __qword_ptr[Variables.CheckSize]);
        c.add(rcx, WaitingSlice - 1);
        c.cmp(rcx, rax);
        c.jbe(fits);
        c.mov(rcx, rax);
        Place(ref fits);
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
