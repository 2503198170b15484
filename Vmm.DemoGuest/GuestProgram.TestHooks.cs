using Iced.Intel;
using static Iced.Intel.AssemblerRegisters;

namespace Vmm.DemoGuest;

/// <content>Ends that a test of the VMM may ask for on the command line.</content>
internal sealed partial class GuestProgram
{
    private void RunTestHooks()
    {
        WhenGiven("exit=", () =>
        {
            c.mov(eax, __dword_ptr[Variables.ExitValue]);
            c.jmp(To(DebugExit));
        });
        WhenGiven("reset", () =>
        {
            c.mov(al, 0xFE);
            c.@out(0x64, al);
            CallRing0(Ring0Hang); // It need not happen at once.
        });
        WhenGiven("triple", () => CallRing0(Ring0TripleFault));
        WhenGiven("hang", () => CallRing0(Ring0Hang));
        // The first address that the page tables don't map.
        WhenGiven("crash", () =>
        {
            c.mov(rax, 0x1_0000_0000);
            c.mov(__byte_ptr[rax], 0);
        });
        c.ret();
    }

    /// <summary>Writes AL to the debug-exit port; where there is none, stays in HLT.</summary>
    private void DebugExit()
    {
        c.mov(dx, 0x501);
        c.@out(dx, al);
        CallRing0(Ring0Hang);
    }

    private void WhenGiven(string option, Action body)
    {
        Label skip = c.CreateLabel();
        c.cmp(__byte_ptr[CommandLineOption.SeenFlag(option)], 0);
        c.je(skip);
        body();
        Place(ref skip);
    }
}
