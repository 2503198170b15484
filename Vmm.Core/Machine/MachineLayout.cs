using Vmm.Core.Interrupts;
using Vmm.Core.Memory;

namespace Vmm.Core.Machine;

/// <summary>
/// The machine's map: every fixed address, port and interrupt in one place.
/// </summary>
/// <remarks>
/// <code>
/// 0x0000_0000  RAM, free for the guest
/// 0x0009_0000  boot structures (reserved in the guest's map): GDT, page tables, start info, modules, memory map, command line, zero page
/// 0x000a_0000  ACPI tables; the RSDP at 0xe_0000
/// 0x000e_0040  RAM that the map calls reserved up to 1 MiB, as on every PC; a kernel may have segments there
/// 0x0010_0000  RAM: kernel, and the initrd as high as it goes
/// 0xc000_0000  MMIO hole: events and power 0xfea0_0000, virtio-mmio 0xfeb0_0000, IOAPIC 0xfec0_0000, LAPIC 0xfee0_0000
/// 0x1_0000_0000  RAM that did not fit below
/// </code>
/// </remarks>
public static class MachineLayout
{
    /// <summary>The name of this map and of the devices that are always there, as a migration stream has it. A change of them is a new name.</summary>
    public const string MachineType = "vmm-1";

    /// <summary>Less than this cannot hold the boot structures and a kernel.</summary>
    public const ulong MinimumMemory = 2 << 20;

    /// <summary>The first byte of the boot structures; guest RAM below it is free.</summary>
    public const ulong BootStart = 0x9_0000;

    /// <summary>The end of low reserved memory; kernels are usually linked from here on.</summary>
    public const ulong HighMemoryStart = 0x10_0000;

    /// <summary>The descriptor table of <see cref="Hypervisor.CpuEntry.DescriptorTable"/>.</summary>
    public const ulong DescriptorTable = BootStart;

    /// <summary>PML4, PDPT and one page directory per GiB that is mapped: 2 + 4 pages.</summary>
    public const ulong PageTable = 0x9_1000;

    /// <summary>The identity map of a 64-bit entry covers this much.</summary>
    public const ulong IdentityMapped = 0x1_0000_0000;

    /// <summary>hvm_start_info, followed by the module list.</summary>
    public const ulong StartInfo = 0x9_7000;

    public const ulong ModuleList = 0x9_7100;

    public const ulong MemoryMap = 0x9_7200;

    public const ulong CommandLine = 0x9_8000;

    /// <summary>Bytes with the final NUL. SPEC: Linux cuts off silently what is longer (COMMAND_LINE_SIZE, x86).</summary>
    public const int CommandLineLimit = 2048;

    /// <summary>struct boot_params, for kernels that begin by Linux' own boot protocol.</summary>
    public const ulong ZeroPage = 0x9_9000;

    /// <summary>The first byte after the boot structures.</summary>
    public const ulong BootEnd = ZeroPage + 0x1000;

    /// <summary>The ACPI tables but for the RSDP.</summary>
    public const ulong AcpiStart = 0xA_0000;

    /// <summary>More than 256 KiB they can't have: the vCPUs of the largest machine take that.</summary>
    public const ulong AcpiEnd = 0xE_0000;

    /// <summary>Where a guest looks for it that is not told.</summary>
    public const ulong Rsdp = 0xE_0000;

    /// <summary>The first byte after the RSDP's place.</summary>
    public const ulong RsdpEnd = Rsdp + 0x40;

    /// <summary>Where real mode begins after a reset, F000:FFF0.</summary>
    public const ulong ResetVector = 0xF_FFF0;

    /// <summary>From here to 4 GiB the map says "reserved": IOAPIC, LAPIC and what KVM keeps for itself.</summary>
    public const ulong InterruptControllers = 0xFEC0_0000;

    public const uint IoApic = 0xFEC0_0000;

    public const uint LocalApic = 0xFEE0_0000;

    /// <summary>vCPUs to which the IOAPIC can send an interrupt: the destination has 8 bits.</summary>
    public const int MaxInterruptedCpus = 256;

    /// <summary>The generic event device's register: the events that have happened since it was read, 32 bits.</summary>
    public const ulong EventRegister = 0xFEA0_0000;

    public const ulong EventRegisterSize = 4;

    /// <summary>The power button's bit in it.</summary>
    public const uint PowerButtonEvent = 1 << 1;

    /// <summary>The registers of the hardware-reduced profile; a byte each, in one window.</summary>
    public const ulong PowerRegisters = 0xFEA0_0200;

    public const ulong PowerRegistersSize = 3;

    public const ulong SleepControlRegister = PowerRegisters;

    public const ulong SleepStatusRegister = PowerRegisters + 1;

    public const ulong ResetRegister = PowerRegisters + 2;

    /// <summary>SLP_TYP of S5, the one sleep state that there is.</summary>
    public const byte SoftOffSleepType = 5;

    /// <summary>COM2's pin, where nothing else is.</summary>
    public static readonly Gsi EventGsi = new(3);

    /// <summary>pvpanic's event port.</summary>
    public const ushort PanicPort = 0x505;

    /// <summary>The first virtio-mmio window.</summary>
    public const ulong VirtioMmioStart = 0xFEB0_0000;

    /// <summary>From one window to the next: a page, so that a guest can map each one by itself.</summary>
    public const ulong VirtioMmioStride = 0x1000;

    /// <summary>Bytes of registers in a window, as in QEMU's microvm.</summary>
    public const uint VirtioMmioSize = 0x200;

    /// <summary>GSI 0 to 4 belong to the PC's timer, keyboard and serial ports; the IOAPIC has 24 pins.</summary>
    public const uint FirstVirtioGsi = 5;

    public const uint LastVirtioGsi = 23;

    public const int MaxVirtioDevices = (int)(LastVirtioGsi - FirstVirtioGsi + 1);

    /// <summary>COM1.</summary>
    public const ushort SerialPort = 0x3F8;

    public const ushort SerialPortCount = 8;

    public static readonly Gsi SerialGsi = new(4);

    public const ushort KeyboardDataPort = 0x60;

    public const ushort KeyboardCommandPort = 0x64;

    /// <summary>A byte written here ends the machine with that status. Four ports, so that a 32-bit write meets it too.</summary>
    public const ushort DebugExitPort = 0x501;

    public const ushort DebugExitPortCount = 4;

    /// <summary>The window of the device with this number.</summary>
    /// <exception cref="ArgumentOutOfRangeException">There are no more than <see cref="MaxVirtioDevices"/> interrupt pins.</exception>
    public static VirtioMmioSlot GetVirtioMmioSlot(int index)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(index);
        ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(index, MaxVirtioDevices);
        return new VirtioMmioSlot(
            new GuestAddress(VirtioMmioStart + (ulong)index * VirtioMmioStride), VirtioMmioSize, new Gsi(FirstVirtioGsi + (uint)index));
    }
}
