using System.Buffers.Binary;
using System.Text;

namespace Vmm.Core.Machine.Acpi;

/// <summary>
/// Terms of the ACPI Machine Language, named as in ASL (ACPI 6.5, chapter 20). Each method gives the bytes of one term; terms nest as their
/// calls do, so that a table reads like its source.
/// </summary>
internal static class Aml
{
    private const byte ZeroOp = 0x00, OneOp = 0x01, NameOp = 0x08, BytePrefix = 0x0A, WordPrefix = 0x0B, DWordPrefix = 0x0C, StringPrefix = 0x0D;
    private const byte QWordPrefix = 0x0E, ScopeOp = 0x10, BufferOp = 0x11, PackageOp = 0x12, MethodOp = 0x14, ExtOpPrefix = 0x5B;
    private const byte Local0Op = 0x60, StoreOp = 0x70, AndOp = 0x7B, NotifyOp = 0x86, IfOp = 0xA0;
    private const byte OpRegionOp = 0x80, FieldOp = 0x81, DeviceOp = 0x82; // after ExtOpPrefix

    /// <summary>The first variable of a method.</summary>
    public static byte[] Local0 => [Local0Op];

    public static byte[] Scope(string path, params ReadOnlySpan<byte[]> terms) => [ScopeOp, .. Package(Join(Path(path), terms))];

    public static byte[] Device(string name, params ReadOnlySpan<byte[]> terms) => [ExtOpPrefix, DeviceOp, .. Package(Join(Path(name), terms))];

    public static byte[] Name(string name, byte[] value) => [NameOp, .. Path(name), .. value];

    /// <param name="name">As <c>_EVT</c>.</param>
    /// <param name="argumentCount">0 to 7.</param>
    /// <param name="terms">What it does, one call at a time (Serialized).</param>
    public static byte[] Method(string name, int argumentCount, params ReadOnlySpan<byte[]> terms)
        => [MethodOp, .. Package(Join([.. Path(name), (byte)(argumentCount | 1 << 3)], terms))];

    public static byte[] Integer(ulong value)
    {
        Span<byte> bytes = stackalloc byte[8];
        BinaryPrimitives.WriteUInt64LittleEndian(bytes, value);
        return value switch
        {
            0 => [ZeroOp],
            1 => [OneOp],
            <= byte.MaxValue => [BytePrefix, bytes[0]],
            <= ushort.MaxValue => [WordPrefix, .. bytes[..2]],
            <= uint.MaxValue => [DWordPrefix, .. bytes[..4]],
            _ => [QWordPrefix, .. bytes],
        };
    }

    public static byte[] Text(string value) => [StringPrefix, .. Encoding.ASCII.GetBytes(value), 0];

    /// <summary>A compressed EISA identifier: <c>PNP0501</c>.</summary>
    public static byte[] EisaId(string id)
    {
        // SPEC: three letters of 5 bits, 4 hexadecimal digits; big endian.
        uint value = 0;
        foreach (char letter in id.AsSpan(0, 3))
        {
            value = (value << 5) | ((uint)letter - '@');
        }

        value = (value << 16) | Convert.ToUInt32(id[3..], 16);
        return [DWordPrefix, .. BitConverter.GetBytes(BinaryPrimitives.ReverseEndianness(value))];
    }

    public static byte[] Package(params ReadOnlySpan<ulong> values)
    {
        byte[][] elements = new byte[values.Length][];
        for (int i = 0; i < values.Length; i++)
        {
            elements[i] = Integer(values[i]);
        }

        return [PackageOp, .. Package(Join([(byte)values.Length], elements))];
    }

    /// <summary>A buffer of resource descriptors (<see cref="AmlResource"/>) and the end tag.</summary>
    public static byte[] ResourceTemplate(params ReadOnlySpan<byte[]> descriptors)
    {
        byte[] content = [.. Join([], descriptors), 0x79, 0]; // SPEC: a checksum of 0 means that there is none.
        return [BufferOp, .. Package([.. Integer((ulong)content.Length), .. content])];
    }

    /// <summary>Registers in memory, to be read and written by methods.</summary>
    public static byte[] MemoryRegion(string name, ulong address, ulong length)
        => [ExtOpPrefix, OpRegionOp, .. Path(name), 0, .. Integer(address), .. Integer(length)];

    /// <summary>One unit of 32 bits at the start of a region, accessed as such.</summary>
    public static byte[] DWordField(string region, string unit)
    {
        const byte DWordAccess = 3, WriteAsZeros = 2 << 5;
        return [ExtOpPrefix, FieldOp, .. Package([.. Path(region), DWordAccess | WriteAsZeros, .. Path(unit), .. PackageLength(32, withItself: false)])];
    }

    public static byte[] Store(byte[] source, byte[] target) => [StoreOp, .. source, .. target];

    public static byte[] And(byte[] left, byte[] right) => [AndOp, .. left, .. right, ZeroOp];

    public static byte[] If(byte[] condition, params ReadOnlySpan<byte[]> terms) => [IfOp, .. Package(Join(condition, terms))];

    public static byte[] Notify(string device, byte value) => [NotifyOp, .. Path(device), .. Integer(value)];

    /// <summary>A name: <c>PWRB</c>, <c>_SB_.GED_</c> or, from the root, <c>\_SB_</c>. Each segment has four characters.</summary>
    public static byte[] Path(string path)
    {
        const byte Root = (byte)'\\', DualNamePrefix = 0x2E, MultiNamePrefix = 0x2F;
        bool fromRoot = path.StartsWith('\\');
        string[] segments = path[(fromRoot ? 1 : 0)..].Split('.');
        if (segments.Any(segment => segment.Length != 4))
        {
            throw new ArgumentException($"{path}: a segment of an ACPI name has four characters.", nameof(path));
        }

        byte[] names = Encoding.ASCII.GetBytes(string.Concat(segments));
        byte[] prefix = segments.Length switch
        {
            1 => [],
            2 => [DualNamePrefix],
            _ => [MultiNamePrefix, (byte)segments.Length],
        };
        return fromRoot ? [Root, .. prefix, .. names] : [.. prefix, .. names];
    }

    private static byte[] Join(byte[] first, ReadOnlySpan<byte[]> others)
    {
        List<byte> all = [.. first];
        foreach (byte[] other in others)
        {
            all.AddRange(other);
        }

        return [.. all];
    }

    private static byte[] Package(byte[] content) => [.. PackageLength(content.Length, withItself: true), .. content];

    /// <summary>SPEC: PkgLength: up to 63 in one byte; otherwise the low 4 bits and 1 to 3 bytes, whose number is in bits 7:6. It counts itself.</summary>
    private static byte[] PackageLength(int length, bool withItself)
    {
        for (int extra = 0; extra <= 3; extra++)
        {
            int value = length + (withItself ? 1 + extra : 0);
            if (extra == 0 ? value < 64 : value < 1 << (4 + 8 * extra))
            {
                byte[] bytes = new byte[1 + extra];
                bytes[0] = (byte)(extra == 0 ? value : extra << 6 | value & 0xF);
                for (int i = 1; i <= extra; i++)
                {
                    bytes[i] = (byte)(value >> (4 + 8 * (i - 1)));
                }

                return bytes;
            }
        }

        throw new ArgumentOutOfRangeException(nameof(length), length, "A term of AML has less than 256 MiB.");
    }
}
