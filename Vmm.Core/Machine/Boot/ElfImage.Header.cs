using System.Buffers.Binary;
using static Vmm.Core.Machine.Boot.ElfConstants;

namespace Vmm.Core.Machine.Boot;

internal sealed partial class ElfImage
{
    private const string CutOff = "The file is cut off: build or copy it again.";
    private const string ExtractAdvice = "Give the bzImage (vmlinuz), or the uncompressed vmlinux; scripts/extract-vmlinux in the kernel's source unpacks it.";

    private static void CheckHeader(BootImage file, ReadOnlySpan<byte> header)
    {
        if (!header.StartsWith("\u007FELF"u8))
        {
            throw NotElf(file, header);
        }

        if (header.Length < HeaderSize)
        {
            throw new BootException(file.Name, $"its ELF header is cut off after {header.Length} of {HeaderSize} bytes", CutOff);
        }

        if (header[4] != ELFCLASS64)
        {
            throw new BootException(
                file.Name,
                header[4] == ELFCLASS32 ? "EI_CLASS is 1: a 32-bit ELF" : $"EI_CLASS is {header[4]}, not 2 (64-bit)",
                "Build the kernel for x86-64.");
        }

        if (header[5] != ELFDATA2LSB)
        {
            throw new BootException(file.Name, $"EI_DATA is {header[5]}, not 1 (little endian)", "Build the kernel for x86-64.");
        }

        ushort type = BinaryPrimitives.ReadUInt16LittleEndian(header[16..]);
        ushort machine = BinaryPrimitives.ReadUInt16LittleEndian(header[18..]);
        if (machine != EM_X86_64)
        {
            throw new BootException(file.Name, $"e_machine is {machine}, not {EM_X86_64} (x86-64)", "Build the kernel for x86-64.");
        }

        if (type != ET_EXEC)
        {
            string name = type switch { 1 => " (a relocatable object)", 3 => " (a shared object)", 4 => " (a core dump)", _ => "" };
            throw new BootException(file.Name, $"e_type is {type}{name}, not {ET_EXEC} (an executable)", "Link it to a fixed address (-static, -no-pie).");
        }
    }

    private static BootException NotElf(BootImage file, ReadOnlySpan<byte> start)
    {
        Span<byte> signature = stackalloc byte[4];
        if (file.Length >= 0x206)
        {
            // SPEC: Linux x86 boot protocol, header field at 0x202.
            file.Read(0x202, signature);
            if (signature.SequenceEqual("HdrS"u8))
            {
                return new BootException(file.Name, "it has a bzImage's setup header (HdrS), but not 0xaa55 before it (boot_flag)", "The header is damaged: copy or build the kernel again.");
            }
        }

        string? packed = start switch
        {
            [0x1F, 0x8B, ..] => "gzip",
            [0xFD, (byte)'7', (byte)'z', (byte)'X', (byte)'Z', 0, ..] => "xz",
            [0x28, 0xB5, 0x2F, 0xFD, ..] => "zstd",
            [(byte)'B', (byte)'Z', (byte)'h', ..] => "bzip2",
            [0x02, 0x21, 0x4C, 0x18, ..] or [0x04, 0x22, 0x4D, 0x18, ..] => "lz4",
            _ => null,
        };
        return packed is not null
            ? new BootException(file.Name, $"it is compressed with {packed}, not an ELF file", $"Decompress it first. {ExtractAdvice}")
            : new BootException(
                file.Name,
                $"it is neither an ELF file nor a bzImage: it begins with {Convert.ToHexStringLower(start[..Math.Min(4, start.Length)])}, not 7f454c46",
                "Give a Linux bzImage (vmlinuz), or a 64-bit ELF kernel, such as a vmlinux.");
    }
}
