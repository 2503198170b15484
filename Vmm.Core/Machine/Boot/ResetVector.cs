using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Boot;

/// <summary>
/// What stands where a PC's firmware begins. SPEC: Linux takes hardware-reduced ACPI for a machine with EFI, and without one restarts the way
/// of real mode: it jumps to F000:FFF0 (arch/x86/kernel/reboot.c, BOOT_EFI, then BOOT_BIOS) and never looks at FADT's reset register.
/// </summary>
internal static class ResetVector
{
    private static ReadOnlySpan<byte> Code =>
    [
        0xB0, 0xFE, // mov al, 0xFE: pulse the reset line
        0xE6, 0x64, // out 0x64, al
        0xF4,       // hlt
        0xEB, 0xFD, // jmp to the hlt
    ];

    public static void Write(GuestMemory memory) => memory.Write(new GuestAddress(MachineLayout.ResetVector), Code);
}
