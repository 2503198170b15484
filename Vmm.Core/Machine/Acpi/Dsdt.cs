using System.Globalization;
using static Vmm.Core.Machine.Acpi.Aml;
using static Vmm.Core.Machine.Acpi.AmlResource;

namespace Vmm.Core.Machine.Acpi;

/// <summary>The devices that a guest can't find by itself (ACPI 6.5, section 5.2.11.1).</summary>
internal static class Dsdt
{
    private const byte StatusPresentAndWorking = 0xF;
    private const byte PowerButtonPressed = 0x80;

    public static byte[] Build(AcpiConfig config) => new AcpiTable("DSDT", revision: 2)
        .Append(Scope(
            @"\_SB_",
            [
                .. Enumerable.Range(0, config.CpuCount).Select(Processor),
                SerialPort,
                .. config.Devices.Select(VirtioDevice),
                GenericEventDevice,
                PowerButton,
                PanicDevice,
            ]))
        .Append(Name(@"\_S5_", Package(MachineLayout.SoftOffSleepType, 0, 0, 0)))
        .Build();

    private static byte[] SerialPort => Device(
        "COM1",
        Name("_HID", EisaId("PNP0501")),
        Name("_UID", Integer(1)),
        Name("_STA", Integer(StatusPresentAndWorking)),
        Name("_CRS", ResourceTemplate(Io(MachineLayout.SerialPort, (byte)MachineLayout.SerialPortCount), Interrupt(MachineLayout.SerialGsi, edge: true))));

    /// <summary>Says which of its causes an interrupt has (section 5.6.9). ESEL is cleared by reading it.</summary>
    private static byte[] GenericEventDevice => Device(
        "GED_",
        Name("_HID", Text("ACPI0013")),
        Name("_UID", Integer(0)),
        Name("_CRS", ResourceTemplate(Interrupt(MachineLayout.EventGsi, edge: true))),
        MemoryRegion("EREG", MachineLayout.EventRegister, 4),
        DWordField("EREG", "ESEL"),
        Method(
            "_EVT",
            1,
            Store(Path("ESEL"), Local0),
            If(And(Local0, Integer(MachineLayout.PowerButtonEvent)), Notify(@"\_SB_.PWRB", PowerButtonPressed))));

    private static byte[] PowerButton => Device("PWRB", Name("_HID", EisaId("PNP0C0C")), Name("_UID", Integer(0)));

    /// <summary>pvpanic, by the identifier that drivers know it by.</summary>
    private static byte[] PanicDevice => Device(
        "PEVT",
        Name("_HID", Text("QEMU0001")),
        Name("_STA", Integer(StatusPresentAndWorking)),
        Name("_CRS", ResourceTemplate(Io(MachineLayout.PanicPort, 1))));

    private static byte[] Processor(int index) => Device(Numbered("C", index), Name("_HID", Text("ACPI0007")), Name("_UID", Integer((ulong)index)));

    private static byte[] VirtioDevice(VirtioMmioSlot slot, int index) => Device(
        Numbered("V", index),
        Name("_HID", Text("LNRO0005")),
        Name("_UID", Integer((ulong)index)),
        Name("_CCA", Integer(1)), // DMA is coherent
        Name("_CRS", ResourceTemplate(Memory32Fixed((uint)slot.Address.Value, slot.Size), Interrupt(slot.Gsi, edge: false))));

    private static string Numbered(string letter, int index) => letter + index.ToString("X3", CultureInfo.InvariantCulture);
}
