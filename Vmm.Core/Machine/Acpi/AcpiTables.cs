using Vmm.Core.Memory;

namespace Vmm.Core.Machine.Acpi;

/// <summary>
/// The ACPI 6 tables of a machine: RSDP -> XSDT -> FADT -> DSDT, and MADT (ACPI 6.5, section 5.2).
/// </summary>
internal static class AcpiTables
{
    private const ulong Alignment = 16;

    /// <summary>Writes the tables from <see cref="MachineLayout.AcpiStart"/> on, and the RSDP to its own place.</summary>
    public static void Write(GuestMemory memory, AcpiConfig config)
    {
        ulong next = MachineLayout.AcpiStart;
        ulong dsdt = Put(Dsdt.Build(config));
        ulong fadt = Put(Fadt.Build(dsdt));
        ulong madt = Put(Madt.Build(config));
        ulong xsdt = Put(new AcpiTable("XSDT", revision: 1).Append(fadt).Append(madt).Build());
        memory.Write(new GuestAddress(MachineLayout.Rsdp), BuildRsdp(xsdt));

        ulong Put(byte[] table)
        {
            ulong address = next;
            if (address + (ulong)table.Length > MachineLayout.AcpiEnd)
            {
                throw new InvalidOperationException($"The ACPI tables of {config.CpuCount} vCPUs reach past 0x{MachineLayout.AcpiEnd:x}.");
            }

            memory.Write(new GuestAddress(address), table);
            next = (address + (ulong)table.Length + Alignment - 1) & ~(Alignment - 1);
            return address;
        }
    }

    private static byte[] BuildRsdp(ulong xsdt)
    {
        const int FirstPart = 20;
        byte[] rsdp =
        [
            .. "RSD PTR "u8, 0, .. "VMM   "u8, 2, 0, 0, 0, 0, // revision 2; no RSDT
            36, 0, 0, 0, .. BitConverter.GetBytes(xsdt), 0, 0, 0, 0,
        ];
        rsdp[8] = AcpiTable.Checksum(rsdp.AsSpan(0, FirstPart));
        rsdp[32] = AcpiTable.Checksum(rsdp);
        return rsdp;
    }
}
