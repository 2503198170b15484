using Vmm.Core.Machine.Boot;
using static Vmm.Core.Tests.Machine.Boot.ElfBuilder;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Every message names the file, the field with its value, and what to do.</summary>
public sealed class BootErrorTests
{
    public static TheoryData<string, byte[], string> BadKernels => new()
    {
        { "text", "#!/bin/sh\n"u8.ToArray(), "vmlinux: it is neither an ELF file nor a bzImage: it begins with 23212f62, not 7f454c46. Give a Linux bzImage*" },
        { "one byte", [0x7F], "vmlinux: it is neither an ELF file nor a bzImage: it begins with 7f,*" },
        { "bzImage", BzImage(), "vmlinux: it has a bzImage's setup header (HdrS), but not 0xaa55 before it (boot_flag)*" },
        { "gzip", [0x1F, 0x8B, 8, 0, 0, 0], "vmlinux: it is compressed with gzip*Decompress it first*" },
        { "xz", [0xFD, 0x37, 0x7A, 0x58, 0x5A, 0, 0], "vmlinux: it is compressed with xz*" },
        { "zstd", [0x28, 0xB5, 0x2F, 0xFD], "vmlinux: it is compressed with zstd*" },
        { "cut header", Pvh().Build()[..40], "vmlinux: its ELF header is cut off after 40 of 64 bytes*" },
        { "32-bit", With(f => f[4] = 1), "vmlinux: EI_CLASS is 1: a 32-bit ELF. Build the kernel for x86-64." },
        { "class 7", With(f => f[4] = 7), "vmlinux: EI_CLASS is 7, not 2 (64-bit)*" },
        { "big endian", With(f => f[5] = 2), "vmlinux: EI_DATA is 2, not 1 (little endian)*" },
        { "aarch64", With(f => Put(f, 18, (ushort)183)), "vmlinux: e_machine is 183, not 62 (x86-64)*" },
        { "object", With(f => Put(f, 16, (ushort)1)), "vmlinux: e_type is 1 (a relocatable object), not 2*" },
        { "shared", With(f => Put(f, 16, (ushort)3)), "vmlinux: e_type is 3 (a shared object), not 2 (an executable). Link it to a fixed address*" },
        { "no headers", With(f => Put(f, 56, (ushort)0)), "vmlinux: e_phnum is 0*" },
        { "header size", With(f => Put(f, 54, (ushort)32)), "vmlinux: e_phentsize is 32, not 56*" },
        { "headers past end", With(f => Put(f, 32, (ulong)f.Length - 10)), "vmlinux: the 2 program headers at offset*(e_phoff) reach past the end*" },
        { "header offset wraps", With(f => Put(f, 32, ulong.MaxValue - 3)), "vmlinux: the 2 program headers at offset 18446744073709551612 (e_phoff)*" },
        { "cut headers", Pvh().Build()[..100], "vmlinux: the 2 program headers at offset 64*past the end of the file (100 bytes)*" },
        { "cut segment", Pvh().Build()[..300], "vmlinux: segment 0 with 4096 bytes (p_filesz) at offset 176 (p_offset) reaches past the end of the file (300 bytes)*" },
        { "cut notes", Pvh().Build()[..^4], "vmlinux: notes segment 1 with 20 bytes (p_filesz) at offset 4272*reaches past the end*" },
        { "segment offset wraps", With(f => Put(f, 72, ulong.MaxValue - 7)), "vmlinux: segment 0 with 4096 bytes*" },
        { "file size over memory size", With(f => Put(f, 64 + 40, 16ul)), "vmlinux: segment 0 has p_filesz 4096, more than its p_memsz 16*" },
        { "address wraps", With(f => Put(f, 64 + 24, ulong.MaxValue - 0xFFF)), "vmlinux: segment 0 wraps around: p_paddr 0xfffffffffffff000*" },
        { "nothing to load", new ElfBuilder().Note(PvhNote(new byte[4])).Build(), "vmlinux: no program header is a PT_LOAD with content*" },
        { "overlap", Pvh().Load(0x10_2FFF, [1], 1).Build(), "vmlinux: segment 0 (0x100000 to 0x103000) and segment 2 (0x102fff to 0x103000) overlap*" },
        { "beyond RAM", Pvh().Load(0xFF_FFFF, [1, 2], 2).Build(), "vmlinux: segment 2 (0xffffff to 0x1000001) does not fit guest memory of 16 MiB. Choose a larger --memory*" },
        { "above 4 GiB", Pvh().Load(1ul << 32, [1], 1).Build(), "vmlinux: segment 2*does not fit guest memory of 16 MiB*" },
        { "in the hole", Pvh().Load(0xFEB0_0000, [1], 1).Build(), "vmlinux: segment 2 (0xfeb00000 to 0xfeb00001) lies in the hole for devices (0xc0000000 to 0x100000000)*" },
        { "on boot structures", Pvh().Load(0x9_7000, [1], 1).Build(), "vmlinux: segment 2 (0x97000 to 0x97001) lies on the boot structures (0x90000 to 0x9a000). Link it elsewhere, such as to 1 MiB*" },
        { "on the command line's last byte", Pvh().Load(0x9_87FF, [1], 1).Build(), "vmlinux: segment 2*lies on the boot structures*" },
        { "into boot structures", Pvh().Load(0x8_FFFF, [1], 2).Build(), "vmlinux: segment 2*lies on the boot structures*" },
        { "PVH entry outside", Pvh(0x20_0000).Build(), "vmlinux: the PVH note's entry 0x200000 lies in no segment*" },
        { "flat entry outside", Flat(0x20_0000).Build(), "vmlinux: e_entry 0x200000 lies in no segment*" },
        { "PVH entry of 2 bytes", WithNote(PvhNote(new byte[2])), "vmlinux: the PVH note (XEN_ELFNOTE_PHYS32_ENTRY) has a descriptor of 2 bytes, not 4 or 8*" },
        { "PVH entry of 64 bits", WithNote(PvhNote(BitConverter.GetBytes(1ul << 32))), "vmlinux: the PVH note's entry 0x100000000 lies above 4 GiB*" },
        {
            "PVH note in a section alone",
            Flat().NoteSection(OneNote("GNU", 3, new byte[20])).NoteSection(PvhNote(BitConverter.GetBytes(0x10_0000))).Build(),
            "vmlinux: its PVH note is in section 2 (SHT_NOTE), but in no PT_NOTE program header*Keep it in a PT_NOTE segment*PHDRS*"
        },
        { "note name too long", WithNote([255, 255, 255, 255, 4, 0, 0, 0, 18, 0, 0, 0, .. "Xen\0"u8]), "vmlinux: the note at byte 0 of segment 1 is cut off: n_namesz 4294967295*" },
        { "note descriptor too long", WithNote([4, 0, 0, 0, 5, 0, 0, 0, 18, 0, 0, 0, .. "Xen\0"u8, 1, 2, 3, 4]), "vmlinux: the note at byte 0 of segment 1 is cut off: n_namesz 4 and n_descsz 5*" },
    };

    [Theory]
    [MemberData(nameof(BadKernels))]
    public void Load_BadKernel_SaysFieldAndValueAndWritesNothing(string what, byte[] kernel, string message)
    {
        using BootFixture boot = new();
        boot.Invoking(b => b.Load(kernel)).Should().Throw<BootException>(what).WithMessage(message);
        boot.Read(0, 16 << 20).AsSpan().IndexOfAnyExcept((byte)0).Should().Be(-1, "nothing was loaded");
    }

    [Fact]
    public void Load_ElfOfTheSystem_IsRecognised()
    {
        // Not built by us: the dynamic linker's idea of an ELF header, not ElfBuilder's.
        string program = Environment.ProcessPath!;
        using BootFixture boot = new();
        using BootImage kernel = BootImage.OpenFile(program);
        boot.Invoking(b => BootLoader.Load(b.Memory, new BootConfig(kernel, null, "", []))).Should().Throw<BootException>()
            .WithMessage($"{program}: e_type is 3 (a shared object), not 2 (an executable). Link it to a fixed address (-static, -no-pie).");
    }

    [Fact]
    public void Load_TinyMemory_IsRefused()
    {
        using BootFixture boot = new(1 << 20);
        boot.Invoking(b => b.Load(Pvh().Build())).Should().Throw<BootException>().WithMessage("vmlinux: guest memory of 1048576 bytes is less than 2097152*");
    }

    [Fact]
    public void OpenFile_NoFileOrNoRegularFile_SaysWhich()
    {
        Action missing = () => BootImage.OpenFile("/nonexistent/vmlinux").Dispose();
        missing.Should().Throw<BootException>().WithMessage("/nonexistent/vmlinux: there is no such file. Check the path.");
        Action directory = () => BootImage.OpenFile("/usr").Dispose();
        directory.Should().Throw<BootException>().WithMessage("/usr: it is a directory. Give the file itself.");
        Action empty = () => BootImage.OpenFile("/dev/null").Dispose();
        empty.Should().Throw<BootException>().WithMessage("/dev/null: it*");
        Action unnamed = () => BootImage.OpenFile("").Dispose();
        unnamed.Should().Throw<BootException>();
    }

    [Fact]
    public void Load_FileThatShrinks_IsABootException()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, Pvh().Build());
            using BootFixture boot = new();
            using BootImage kernel = BootImage.OpenFile(path);
            File.WriteAllBytes(path, Pvh().Build()[..200]);
            boot.Invoking(b => BootLoader.Load(b.Memory, new BootConfig(kernel, null, "", []))).Should().Throw<BootException>().WithMessage("*cut off*");
        }
        finally
        {
            File.Delete(path);
        }
    }

    private static byte[] With(Action<byte[]> change)
    {
        byte[] file = Pvh().Build();
        change(file);
        return file;
    }

    private static byte[] WithNote(byte[] note) => new ElfBuilder().Load(0x10_0000, Pattern(0x1000), 0x1000).Note(note).Build();

    private static byte[] BzImage()
    {
        byte[] file = new byte[0x400];
        "MZ"u8.CopyTo(file);
        "HdrS"u8.CopyTo(file.AsSpan(0x202));
        return file;
    }
}
