using System.Buffers.Binary;
using Vmm.Core.Interrupts;

namespace Vmm.Core.Machine.Acpi;

/// <summary>Resource descriptors for <see cref="Aml.ResourceTemplate"/> (ACPI 6.5, section 6.4).</summary>
internal static class AmlResource
{
    /// <summary>A window of registers that is always there, for reading and writing.</summary>
    public static byte[] Memory32Fixed(uint address, uint length)
    {
        byte[] bytes = [0x86, 9, 0, 1, .. stackalloc byte[8]];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(4), address);
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(8), length);
        return bytes;
    }

    /// <summary>Ports at one place, decoded in 16 bits.</summary>
    public static byte[] Io(ushort port, byte count)
        => [0x47, 1, (byte)port, (byte)(port >> 8), (byte)port, (byte)(port >> 8), 1, count];

    /// <summary>An interrupt of the device's own, active high.</summary>
    public static byte[] Interrupt(Gsi gsi, bool edge)
    {
        const byte Consumer = 1 << 0, Edge = 1 << 1;
        byte[] bytes = [0x89, 6, 0, (byte)(Consumer | (edge ? Edge : 0)), 1, .. stackalloc byte[4]];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes.AsSpan(5), gsi.Number);
        return bytes;
    }
}
