using System.Buffers.Binary;
using System.Text;

namespace Vmm.Core.Machine.Acpi;

/// <summary>A system description table in the making: the header of ACPI 6.5, section 5.2.6, then what is appended, in little endian.</summary>
internal sealed class AcpiTable
{
    private const int HeaderSize = 36;
    private const int LengthOffset = 4;
    private const int ChecksumOffset = 9;

    private readonly List<byte> _bytes = [];

    /// <param name="signature">Four characters.</param>
    /// <param name="revision">Of this kind of table.</param>
    public AcpiTable(string signature, byte revision)
    {
        Append(Encoding.ASCII.GetBytes(signature)).Append(0u).Append(revision).Append((byte)0)
            .Append("VMM   "u8).Append("VMMACPI "u8).Append(1u) // whose table, which, and its revision
            .Append("VMM "u8).Append(1u); // made by
        if (_bytes.Count != HeaderSize)
        {
            throw new ArgumentException($"{signature}: a signature has four characters.", nameof(signature));
        }
    }

    public AcpiTable Append(ReadOnlySpan<byte> bytes)
    {
        _bytes.AddRange(bytes);
        return this;
    }

    public AcpiTable Append(byte value)
    {
        _bytes.Add(value);
        return this;
    }

    public AcpiTable Append(ushort value) => Append(BitConverter.GetBytes(value));

    public AcpiTable Append(uint value) => Append(BitConverter.GetBytes(value));

    public AcpiTable Append(ulong value) => Append(BitConverter.GetBytes(value));

    /// <summary>Fields that mean nothing here.</summary>
    public AcpiTable AppendZeros(int count) => Append(new byte[count]);

    /// <summary>A byte-wide register in memory, as a Generic Address Structure (section 5.2.3.2).</summary>
    public AcpiTable AppendMemoryRegister(ulong address)
    {
        const byte SystemMemory = 0, ByteAccess = 1;
        return Append(SystemMemory).Append((byte)8).Append((byte)0).Append(ByteAccess).Append(address);
    }

    /// <summary>The whole table with its length and checksum.</summary>
    public byte[] Build()
    {
        byte[] table = [.. _bytes];
        BinaryPrimitives.WriteUInt32LittleEndian(table.AsSpan(LengthOffset), (uint)table.Length);
        table[ChecksumOffset] = Checksum(table);
        return table;
    }

    /// <summary>What makes the sum of all bytes 0.</summary>
    public static byte Checksum(ReadOnlySpan<byte> bytes)
    {
        byte sum = 0;
        foreach (byte value in bytes)
        {
            sum += value;
        }

        return (byte)-sum;
    }
}
