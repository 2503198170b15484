using Vmm.Core.Interrupts;

namespace Vmm.Core.Machine.Acpi;

/// <summary>The interrupt controllers (ACPI 6.5, section 5.2.12): a LAPIC for each vCPU and one IOAPIC.</summary>
internal static class Madt
{
    private const byte LocalApic = 0, IoApic = 1, InterruptSourceOverride = 2, LocalApicNmi = 4, LocalX2Apic = 9, LocalX2ApicNmi = 10;
    private const uint PcAtCompatible = 1; // there are 8259s too
    private const uint Enabled = 1;
    private const ushort LevelActiveHigh = 3 << 2 | 1;
    private const byte LocalInterrupt1 = 1;

    /// <summary>What is larger needs an x2APIC entry; 255 is the broadcast id of an xAPIC.</summary>
    private const int LocalApicLimit = 255;

    /// <summary>Below it pins are ISA's, which are edge-triggered unless an override says otherwise.</summary>
    private const uint IsaPins = 16;

    public static byte[] Build(AcpiConfig config)
    {
        AcpiTable table = new AcpiTable("APIC", revision: 5).Append(MachineLayout.LocalApic).Append(PcAtCompatible);
        for (int cpu = 0; cpu < config.CpuCount; cpu++)
        {
            if (cpu < LocalApicLimit)
            {
                table.Append(LocalApic).Append((byte)8).Append((byte)cpu).Append((byte)cpu).Append(Enabled);
            }
            else
            {
                table.Append(LocalX2Apic).Append((byte)16).AppendZeros(2).Append((uint)cpu).Append(Enabled).Append((uint)cpu);
            }
        }

        table.Append(IoApic).Append((byte)12).Append((byte)0).AppendZeros(1).Append(MachineLayout.IoApic).Append(0u);
        foreach (Gsi gsi in config.Devices.Select(device => device.Gsi).Where(gsi => gsi.Number < IsaPins))
        {
            table.Append(InterruptSourceOverride).Append((byte)10).Append((byte)0).Append((byte)gsi.Number).Append(gsi.Number).Append(LevelActiveHigh);
        }

        table.Append(LocalApicNmi).Append((byte)6).Append(byte.MaxValue).Append((ushort)0).Append(LocalInterrupt1);
        if (config.CpuCount > LocalApicLimit)
        {
            table.Append(LocalX2ApicNmi).Append((byte)12).Append((ushort)0).Append(uint.MaxValue).Append(LocalInterrupt1).AppendZeros(3);
        }

        return table.Build();
    }
}
