using System.Buffers.Binary;

namespace Vmm.Cli.Tests.Harness;

/// <summary>A few bytes of 64-bit code as a kernel: an ELF64 file with one segment at 1 MiB and no PVH note.</summary>
internal static class FlatKernel
{
    private const ulong LoadAddress = 0x10_0000;
    private const int HeadersSize = 64 + 56;

    public static byte[] Build(params byte[] code)
    {
        byte[] file = new byte[HeadersSize + code.Length];
        Span<byte> header = file;
        ReadOnlySpan<byte> ident = [0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1];
        ident.CopyTo(header);
        BinaryPrimitives.WriteUInt16LittleEndian(header[16..], 2); // ET_EXEC
        BinaryPrimitives.WriteUInt16LittleEndian(header[18..], 62); // EM_X86_64
        BinaryPrimitives.WriteUInt32LittleEndian(header[20..], 1);
        BinaryPrimitives.WriteUInt64LittleEndian(header[24..], LoadAddress + HeadersSize); // e_entry
        BinaryPrimitives.WriteUInt64LittleEndian(header[32..], 64); // e_phoff
        BinaryPrimitives.WriteUInt16LittleEndian(header[52..], 64);
        BinaryPrimitives.WriteUInt16LittleEndian(header[54..], 56);
        BinaryPrimitives.WriteUInt16LittleEndian(header[56..], 1);

        Span<byte> segment = header[64..];
        BinaryPrimitives.WriteUInt32LittleEndian(segment, 1); // PT_LOAD
        BinaryPrimitives.WriteUInt32LittleEndian(segment[4..], 5); // R, X
        BinaryPrimitives.WriteUInt64LittleEndian(segment[16..], LoadAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[24..], LoadAddress);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[32..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[40..], (ulong)file.Length);
        BinaryPrimitives.WriteUInt64LittleEndian(segment[48..], 0x1000);
        code.CopyTo(file.AsSpan(HeadersSize));
        return file;
    }
}
