using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>The main loop.</content>
internal sealed partial class GuestProgram
{
    private void MainLoop()
    {
        Label iteration = c.CreateLabel(), serve = c.CreateLabel(), poll = c.CreateLabel(), check = c.CreateLabel(), sleep = c.CreateLabel();
        ReadTicks();
        c.mov(__qword_ptr[Variables.LastLook], rax);

        Place(ref iteration);
        c.call(To(LookAtClock));
        c.inc(__qword_ptr[Variables.Iterations]);

        // What an interrupt says is acknowledged on the way to sleep, when the answers are out; under constant load now and then.
        c.test(__byte_ptr[Variables.Iterations], unchecked((sbyte)0xFF));
        c.jnz(serve);
        c.call(To(HandlePendingInterrupts));
        Place(ref serve);
        c.mov(__dword_ptr[Variables.Worked], 0);
        ForEachPair(() => c.call(To(ServePair)));
        c.cmp(__dword_ptr[Variables.Worked], 0);
        c.jne(iteration);
        c.call(To(LookAtClock));

        c.cmp(__byte_ptr[CommandLineOption.SeenFlag("poll")], 0);
        c.jne(poll);
        c.cmp(__dword_ptr[Variables.SliceDone], 0);
        c.jne(sleep);
        c.mov(__dword_ptr[Variables.SliceDone], 1);
        c.jmp(check);
        Place(ref poll);
        c.cmp(__byte_ptr[Variables.EndOfInterruptDue], 0);
        c.je(check);
        CallRing0(Ring0EndInterrupt);
        Place(ref check);
        c.call(To(LookAtClock));
        c.call(To(CheckSlice));
        c.jmp(iteration);

        // ORDER: acknowledge, ask for interrupts, look at the rings once more, then look at the flags with interrupts off (in ring 0).
        Place(ref sleep);
        c.call(To(HandlePendingInterrupts));
        ForEachPair(() => c.call(To(ArmPair)));
        c.cmp(__dword_ptr[Variables.Worked], 0);
        c.jne(iteration);
        CallRing0(Ring0Idle);
        c.mov(__dword_ptr[Variables.SliceDone], 0);
        c.jmp(iteration);
    }

    /// <summary>
    /// Notes for how long the clock was not looked at: several times in each round, so that a stop of the machine is not counted together with
    /// what comes after it.
    /// </summary>
    private void LookAtClock()
    {
        Label clockError = c.CreateLabel(), longGap = c.CreateLabel(), logged = c.CreateLabel(), notLast = c.CreateLabel(), done = c.CreateLabel();
        ReadTicks();
        c.mov(rcx, rax);
        c.sub(rcx, __qword_ptr[Variables.LastLook]);
        c.mov(__qword_ptr[Variables.LastLook], rax); // flags are still those of sub
        c.jb(clockError);
        c.cmp(rcx, GapLayout.Threshold);
        c.ja(longGap);
        Place(ref logged);
        c.cmp(rcx, __qword_ptr[Variables.LongestGap]);
        c.jbe(done);
        c.mov(__qword_ptr[Variables.LongestGap], rcx);
        Place(ref done);
        c.ret();

        Place(ref clockError);
        c.inc(__qword_ptr[Variables.ClockErrors]);
        c.ret();

        Place(ref longGap);
        c.sub(rax, __qword_ptr[Variables.StartTicks]);
        c.mov(edx, __dword_ptr[Variables.NextGap]);
        c.mov(__qword_ptr[rdx + (Variables.Gaps + GapLayout.Entries + GapLayout.EntryEnd)], rax);
        c.mov(__qword_ptr[rdx + (Variables.Gaps + GapLayout.Entries + GapLayout.EntryLength)], rcx);
        c.inc(__qword_ptr[Variables.Gaps + GapLayout.Count]);
        c.add(edx, GapLayout.EntrySize);
        c.cmp(edx, GapLayout.MaximumEntries * GapLayout.EntrySize);
        c.jb(notLast);
        c.xor(edx, edx);
        Place(ref notLast);
        c.mov(__dword_ptr[Variables.NextGap], edx);
        c.jmp(logged);
    }

    /// <summary>Emits a loop over all queue pairs, RBX and RBP set.</summary>
    private void ForEachPair(Action body)
    {
        ForEachInterface(() =>
        {
            Label pair = c.CreateLabel(), done = c.CreateLabel();
            c.lea(rbp, __[rbx + InterfaceLayout.Pairs]);
            Place(ref pair);
            c.mov(eax, __dword_ptr[rbx + InterfaceLayout.PairCount]);
            c.shl(eax, QueuePairLayout.SizeShift);
            c.lea(rax, __[rbx + rax + InterfaceLayout.Pairs]);
            c.cmp(rbp, rax);
            c.jae(done);
            body();
            c.add(rbp, QueuePairLayout.Size);
            c.jmp(pair);
            Place(ref done);
        });
    }

    /// <summary>Emits a loop over all interfaces, RBX set.</summary>
    private void ForEachInterface(Action body)
    {
        Label next = c.CreateLabel(), done = c.CreateLabel();
        c.mov(ebx, GuestLayout.Interfaces);
        Place(ref next);
        c.cmp(rbx, __qword_ptr[Variables.InterfacesEnd]);
        c.jae(done);
        body();
        c.add(rbx, GuestLayout.InterfaceSize);
        c.jmp(next);
        Place(ref done);
    }

    /// <summary>Acknowledges every interface that interrupted.</summary>
    private void HandlePendingInterrupts()
    {
        Label done = c.CreateLabel();
        c.cmp(__dword_ptr[Variables.PendingInterrupts], 0);
        c.je(done);
        ForEachInterface(() =>
        {
            Label next = c.CreateLabel();
            c.mov(ecx, __dword_ptr[rbx + InterfaceLayout.Index]);
            // ORDER: the flag, then the acknowledgement, then the state: whatever comes later raises the line, and the flag, again.
            // All causes are acknowledged unread: one left standing would keep the line up, and an edge would never come.
            c.btr(__dword_ptr[Variables.PendingInterrupts], ecx);
            c.jnc(next);
            c.mov(__byte_ptr[Variables.EndOfInterruptDue], 1);
            c.inc(__qword_ptr[rbx + (InterfaceLayout.Status + StatusLayout.Interrupts)]);
            c.mov(rdi, __qword_ptr[rbx + InterfaceLayout.MmioBase]);
            c.mov(__dword_ptr[rdi + VirtioMmio.InterruptAcknowledge], VirtioMmio.InterruptUsedBuffer | VirtioMmio.InterruptConfiguration);
            c.call(To(ReadLinkStatus));
            Place(ref next);
        });

        // A handler of two interfaces sets both flags, also of one that is not there: nobody else clears that, and the loop would never sleep.
        c.mov(ecx, __dword_ptr[rbx + (InterfaceLayout.Index - GuestLayout.InterfaceSize)]);
        c.mov(eax, 2);
        c.shl(eax, cl);
        c.dec(eax);
        c.and(__dword_ptr[Variables.PendingInterrupts], eax);
        Place(ref done);
        c.ret();
    }
}
