namespace Vmm.Core.Machine.Acpi;

/// <summary>
/// The fixed hardware (ACPI 6.5, section 5.2.9), of which there is none but the registers for sleep and reset: the hardware-reduced profile.
/// </summary>
internal static class Fadt
{
    public const byte ResetValue = 0x42;

    // IAPC_BOOT_ARCH (table 5.11): what a guest need not look for. There is no 8042 but for its reset line.
    private const ushort NoVga = 1 << 2, NoCmosClock = 1 << 5;

    // Flags (table 5.10).
    private const uint WriteBackInvalidate = 1 << 0, C1Halts = 1 << 2, NoFixedPowerButton = 1 << 4, NoFixedSleepButton = 1 << 5, NoFixedClock = 1 << 6;
    private const uint ResetRegister = 1 << 10, HardwareReduced = 1 << 20;

    public static byte[] Build(ulong dsdt) => new AcpiTable("FACP", revision: 6)
        .Append(0u)                 // FIRMWARE_CTRL: no FACS
        .Append((uint)dsdt)
        .AppendZeros(109 - 44)      // to IAPC_BOOT_ARCH: SCI, SMI, PM1, PM timer, GPE, C states, clock
        .Append((ushort)(NoVga | NoCmosClock))
        .AppendZeros(1)
        .Append(WriteBackInvalidate | C1Halts | NoFixedPowerButton | NoFixedSleepButton | NoFixedClock | ResetRegister | HardwareReduced)
        .AppendMemoryRegister(MachineLayout.ResetRegister)
        .Append(ResetValue)
        .Append((ushort)0)          // ARM_BOOT_ARCH
        .Append((byte)5)            // minor version
        .Append(0ul)                // X_FIRMWARE_CTRL
        .Append(dsdt)               // X_DSDT
        .AppendZeros(244 - 148)     // the 64-bit addresses of the blocks above
        .AppendMemoryRegister(MachineLayout.SleepControlRegister)
        .AppendMemoryRegister(MachineLayout.SleepStatusRegister)
        .Append("VMM\0\0\0\0\0"u8)  // hypervisor vendor
        .Build();
}
