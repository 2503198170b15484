using System.Diagnostics;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Acpi;
using Vmm.Core.Memory;

namespace Vmm.Core.Tests.Machine.Acpi;

/// <summary>Follows the tables as a guest does, and has ACPICA read what they say.</summary>
public sealed class AcpiTablesTests : IDisposable
{
    private readonly GuestMemory _memory = GuestMemory.Create(new GuestMemoryOptions(2 << 20));

    [Fact]
    public void Write_OneCpu_TablesAreLinkedAndSumUpToZero()
    {
        Dictionary<string, byte[]> tables = Write(cpus: 1, devices: 2);
        tables.Keys.Should().BeEquivalentTo("XSDT", "FACP", "APIC", "DSDT");
        byte[] fadt = tables["FACP"];
        fadt.Should().HaveCount(276);
        BitConverter.ToUInt32(fadt, 112).Should().Be(1u << 20 | 1 << 10 | 1 << 6 | 1 << 5 | 1 << 4 | 1 << 2 | 1, "hardware-reduced, with a reset register");
        BitConverter.ToUInt16(fadt, 109).Should().Be(1 << 5 | 1 << 2, "no CMOS clock, no VGA, no 8042");
        fadt[116..128].Should().Equal(0, 8, 0, 1, 0x02, 0x02, 0xA0, 0xFE, 0, 0, 0, 0);
        fadt[128].Should().Be(0x42);
        BitConverter.ToUInt64(fadt, 248).Should().Be(0xFEA0_0200);
        BitConverter.ToUInt64(fadt, 260).Should().Be(0xFEA0_0201);
    }

    [Fact]
    public void Write_NoDevice_DsdtIsAsItWas()
        => Convert.ToHexStringLower(Write(cpus: 1, devices: 0)["DSDT"]).Should().Be(
            GoldenDsdt, "the bytes are what guests have been given; a change must be meant");

    [Theory]
    [InlineData(1)]
    [InlineData(255)]
    [InlineData(256)]
    [InlineData(4096)]
    public void Write_Cpus_HaveALocalApicEach(int cpus)
    {
        byte[] madt = Write(cpus, devices: 19)["APIC"];
        List<byte[]> entries = [];
        for (int at = 44; at < madt.Length; at += madt[at + 1])
        {
            entries.Add(madt[at..(at + madt[at + 1])]);
        }

        entries.Where(e => e[0] == 0).Select(e => (int)e[3]).Should().Equal(Enumerable.Range(0, Math.Min(cpus, 255)));
        entries.Where(e => e[0] == 9).Select(e => BitConverter.ToInt32(e, 4)).Should().Equal(Enumerable.Range(255, Math.Max(cpus, 255) - 255));
        entries.Where(e => e[0] == 1).Should().ContainSingle().Which.Should().Equal(1, 12, 0, 0, 0, 0, 0xC0, 0xFE, 0, 0, 0, 0);
        entries.Where(e => e[0] == 2).Select(e => (e[3], BitConverter.ToUInt32(e, 4), BitConverter.ToUInt16(e, 8)))
            .Should().Equal(Enumerable.Range(5, 11).Select(pin => ((byte)pin, (uint)pin, (ushort)0xD)), "ISA's pins that are level-triggered");
    }

    [Theory]
    [InlineData(1, 0)]
    [InlineData(2, 19)]
    [InlineData(300, 3)]
    public void Write_Tables_AreUnderstoodByAcpicaWithoutAWord(int cpus, int devices)
    {
        if (!File.Exists("/usr/bin/iasl"))
        {
            Assert.Skip("iasl (package acpica-tools) is not installed");
        }

        string folder = Directory.CreateTempSubdirectory("acpi").FullName;
        try
        {
            foreach ((string name, byte[] table) in Write(cpus, devices))
            {
                File.WriteAllBytes(Path.Combine(folder, $"{name}.dat"), table);
                string said = Iasl(folder, $"-d {name}.dat");
                said.Should().Contain("disassembling").And.NotContainAny("Error", "Warning", "Incorrect", "Unknown", "Could not");
            }

            string source = File.ReadAllText(Path.Combine(folder, "DSDT.dsl"));
            source.Split("Name (_HID, \"LNRO0005\")").Should().HaveCount(devices + 1);
            source.Split("Name (_HID, \"ACPI0007\"").Should().HaveCount(cpus + 1);
            source.Should().Contain("Notify (\\_SB.PWRB, 0x80)").And.Contain("Method (_EVT, 1, Serialized)").And.Contain("Name (\\_S5, Package (0x04)");
            Iasl(folder, "-oa -p again DSDT.dsl").Should().Contain("0 Errors, 0 Warnings", "what was read can be compiled");
            File.ReadAllBytes(Path.Combine(folder, "again.aml"))[36..].Should().Equal(
                File.ReadAllBytes(Path.Combine(folder, "DSDT.dat"))[36..], "ACPICA's compiler writes the same AML");
        }
        finally
        {
            Directory.Delete(folder, recursive: true);
        }
    }

    public void Dispose() => _memory.Dispose();

    private Dictionary<string, byte[]> Write(int cpus, int devices)
    {
        AcpiTables.Write(_memory, new AcpiConfig(cpus, [.. Enumerable.Range(0, devices).Select(MachineLayout.GetVirtioMmioSlot)]));
        byte[] rsdp = Read(MachineLayout.Rsdp, 36);
        rsdp[..8].Should().Equal("RSD PTR "u8.ToArray());
        rsdp[..20].Sum(b => b).Should().Match(sum => sum % 256 == 0);
        rsdp.Sum(b => b).Should().Match(sum => sum % 256 == 0);
        Dictionary<string, byte[]> tables = [];
        byte[] xsdt = Take(BitConverter.ToUInt64(rsdp, 24));
        for (int at = 36; at < xsdt.Length; at += 8)
        {
            byte[] table = Take(BitConverter.ToUInt64(xsdt, at));
            if (table.AsSpan(0, 4).SequenceEqual("FACP"u8))
            {
                Take(BitConverter.ToUInt64(table, 140));
                BitConverter.ToUInt32(table, 40).Should().Be((uint)BitConverter.ToUInt64(table, 140), "DSDT and X_DSDT are one");
            }
        }

        return tables;

        byte[] Take(ulong address)
        {
            (address % 16).Should().Be(0);
            byte[] table = Read(address, (int)BitConverter.ToUInt32(Read(address, 8), 4));
            table.Sum(b => b).Should().Match(sum => sum % 256 == 0, "the checksum");
            tables.Add(System.Text.Encoding.ASCII.GetString(table, 0, 4), table);
            return table;
        }
    }

    private byte[] Read(ulong address, int length)
    {
        _memory.TryGetSpan(new GuestAddress(address), (uint)length, out Span<byte> span).Should().BeTrue();
        return span.ToArray();
    }

    private static string Iasl(string folder, string arguments)
    {
        using Process iasl = Process.Start(new ProcessStartInfo("/usr/bin/iasl", arguments)
        {
            WorkingDirectory = folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        })!;
        Task<string> errors = iasl.StandardError.ReadToEndAsync();
        string output = iasl.StandardOutput.ReadToEnd();
        iasl.WaitForExit();
        iasl.ExitCode.Should().Be(0, output + errors.Result);
        return output + errors.Result;
    }

    private const string GoldenDsdt =
        "4453445444010000028d564d4d202020564d4d414350492001000000564d4d20010000001041115c5f53425f5b821a43303030085f4849440d41435049303030"
        + "3700085f554944005b8238434f4d31085f4849440c41d00501085f55494401085f5354410a0f085f43525311160a134701f803f8030108890600030104000000"
        + "79005b824b064745445f085f4849440d414350493030313300085f55494400085f435253110e0a0b89060003010300000079005b8045524547000c0000a0fe0a"
        + "045b810b45524547434553454c2014205f45565409704553454c60a0137b600a0200865c2e5f53425f505752420a805b821550575242085f4849440c41d00c0c"
        + "085f554944005b822e50455654085f4849440d51454d553030303100085f5354410a0f085f435253110d0a0a47010505050501017900085c5f53355f1207040a"
        + "05000000";
}
