using System.Runtime.CompilerServices;
using Vmm.Kvm.Native;

namespace Vmm.Kvm.State;

/// <summary>The timer in a LAPIC's saved registers, when it counts down; a TSC deadline needs no care.</summary>
/// <remarks>
/// SPEC: Intel SDM volume 3, 11.5.4. KVM does not tell whether the interrupt of a timer that has run out was delivered or is still to be, and when
/// the registers of a one-shot timer that stands at 0 are set, it fires at once. So, before the registers are saved, an interrupt that is
/// still to be delivered is made to show in the IRR, and then a one-shot timer at 0 is one that is done.
/// </remarks>
internal readonly unsafe ref struct LocalTimer(ref kvm_lapic_state lapic)
{
    private const int LVT_TIMER = 0x320, InitialCount = 0x380, CurrentCount = 0x390;
    private const uint ModeMask = 3 << 17, OneShot = 0, Periodic = 1 << 17, Masked = 1 << 16;

    private readonly ref kvm_lapic_state _lapic = ref lapic;

    /// <summary>Whether an interrupt may be due that the registers do not show.</summary>
    internal bool MayBeDue
        => Register(InitialCount) != 0
            && (Register(LVT_TIMER) & Masked) == 0
            && ((Register(LVT_TIMER) & ModeMask) == Periodic || IsRunOut);

    /// <summary>The timer will not fire again when the registers are set.</summary>
    internal void ForgetIfDone()
    {
        if (IsRunOut)
        {
            Register(InitialCount) = 0;
        }
    }

    private bool IsRunOut => (Register(LVT_TIMER) & ModeMask) == OneShot && Register(InitialCount) != 0 && Register(CurrentCount) == 0;

    private ref uint Register(int offset) => ref Unsafe.As<byte, uint>(ref _lapic.regs[offset]);
}
