using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;

namespace Vmm.Core.Tests.Machine.Boot;

public sealed class BootLoaderTests
{
    [Fact]
    public void Load_PvhKernel_BeginsAtTheNoteIn32BitMode()
    {
        using BootFixture boot = new();
        CpuEntry entry = boot.Load(ElfBuilder.Pvh().Build());
        entry.Mode.Should().Be(CpuMode.Protected32);
        entry.InstructionPointer.Value.Should().Be(0x10_0010);
        entry.StartInfo.Value.Should().Be(MachineLayout.StartInfo);
    }

    [Theory]
    [InlineData(4, 4)]
    [InlineData(8, 4)]
    [InlineData(4, 8)]
    [InlineData(8, 8)]
    public void Load_PvhNoteOfAnyForm_IsFoundAmongOthers(int descriptorSize, int alignment)
    {
        byte[] descriptor = [.. BitConverter.GetBytes(0x10_0040ul).Take(descriptorSize)];
        byte[] notes =
        [
            .. ElfBuilder.OneNote("GNU", 5, new byte[20], alignment),
            .. ElfBuilder.OneNote("Linux", 18, new byte[4], alignment),
            .. ElfBuilder.OneNote("Xen", 6, "linux"u8.ToArray(), alignment),
            .. ElfBuilder.PvhNote(descriptor, alignment),
            .. ElfBuilder.OneNote("GNU", 3, new byte[20], alignment),
        ];
        using BootFixture boot = new();
        boot.Load(new ElfBuilder().Note([]).Note(notes, (ulong)alignment).Load(0x10_0000, ElfBuilder.Pattern(0x100), 0x100).Build())
            .InstructionPointer.Value.Should().Be(0x10_0040);
    }

    [Fact]
    public void Load_Segments_AreCopiedAndTheirRestIsZero()
    {
        using BootFixture boot = new();
        boot.Memory.TryGetSpan(default, (uint)boot.Memory.Size, out Span<byte> ram).Should().BeTrue();
        ram.Fill(0xA5);
        byte[] low = ElfBuilder.Pattern(0x234), high = ElfBuilder.Pattern(0x5001);
        boot.Load(ElfBuilder.Pvh().Load(0x20_0123, high, 0x9_0000).Load(0x8000, low, (ulong)low.Length).Build());

        boot.Read(0x10_0000, 0x1000).Should().Equal(ElfBuilder.Pattern(0x1000));
        boot.Read(0x10_1000, 0x2000).Should().OnlyContain(b => b == 0);
        boot.Read(0x10_3000, 16).Should().OnlyContain(b => b == 0xA5);
        boot.Read(0x20_0123, high.Length).Should().Equal(high);
        boot.Read(0x20_0123 + (ulong)high.Length, 0x9_0000 - high.Length).Should().OnlyContain(b => b == 0);
        boot.Read(0x20_0113, 16).Should().OnlyContain(b => b == 0xA5);
        boot.Read(0x29_0123, 16).Should().OnlyContain(b => b == 0xA5);
        boot.Read(0x8000, low.Length).Should().Equal(low);
    }

    /// <summary>Linux without EFI restarts there when ACPI is hardware-reduced.</summary>
    [Fact]
    public void Load_AnyKernel_HasAResetAtTheRealModeVector()
    {
        using BootFixture boot = new();
        boot.Load(ElfBuilder.Pvh().Build());
        boot.Read(0xF_FFF0, 4).Should().Equal(0xB0, 0xFE, 0xE6, 0x64);
    }

    /// <summary>GNU ld puts the ELF headers of a kernel linked to 1 MiB into a segment of the page below.</summary>
    [Theory]
    [InlineData(0xF_F000, 0x1000)]
    [InlineData(0x9_A000, 0x6000)]
    [InlineData(0xE_0040, 0x1_FFC0)]
    [InlineData(0x8_F000, 0x1000)]
    public void Load_SegmentBelow1MiBBesideTheBootStructures_IsLoaded(ulong address, int size)
    {
        using BootFixture boot = new();
        byte[] bytes = ElfBuilder.Pattern(size);
        boot.Load(ElfBuilder.Pvh().Load(address, bytes, (ulong)size).Build(), commandLine: new string('x', MachineLayout.CommandLineLimit - 1));
        boot.Read(address, size).Should().Equal(bytes);
        boot.ReadText(MachineLayout.CommandLine).Should().HaveLength(MachineLayout.CommandLineLimit - 1);
    }

    [Fact]
    public void Load_SegmentOfBssAlone_MayHaveAnyFileOffset()
    {
        using BootFixture boot = new();
        byte[] kernel = ElfBuilder.Pvh().Load(0x20_0000, [], 0x1000).Build();
        ElfBuilder.Put(kernel, ElfBuilder.HeaderSize + 2 * ElfBuilder.ProgramHeaderSize + 8, (ulong)kernel.Length + 0x5000);
        boot.Memory.Write(new GuestAddress(0x20_0000), [1, 2, 3]);
        boot.Load(kernel);
        boot.Read(0x20_0000, 0x1000).Should().OnlyContain(b => b == 0);
    }

    [Fact]
    public void Load_FlatKernel_BeginsInLongModeWithIdentityMap()
    {
        using BootFixture boot = new();
        CpuEntry entry = boot.Load(ElfBuilder.Flat().Build());
        entry.Should().Be(new CpuEntry(
            CpuMode.Long64, new GuestAddress(0x10_0020), new GuestAddress(MachineLayout.StartInfo),
            new GuestAddress(MachineLayout.PageTable), new GuestAddress(MachineLayout.DescriptorTable)));

        foreach (ulong address in (ulong[])[0, 0x1F_FFFF, 0x10_0020, 0x3FFF_FFFF, 0x4000_0000, 0xFEB0_0004, 0xFFFF_FFFF])
        {
            Walk(boot, entry.PageTable.Value, address).Should().Be(address);
        }

        // CS of long mode: present, code, long, not 32-bit.
        boot.Read<ulong>(entry.DescriptorTable.Value + 0x20).Should().Be(0x00AF_9B00_0000_FFFF);
    }

    [Fact]
    public void Load_NoteSectionsWithoutPvhOrDamaged_AreOfNoConcern()
    {
        using BootFixture boot = new();
        byte[] gnu = ElfBuilder.OneNote("GNU", 3, new byte[20]);
        byte[] pvh = ElfBuilder.PvhNote(BitConverter.GetBytes(0x10_0000));
        boot.Load(ElfBuilder.Flat().NoteSection(gnu).Build()).Mode.Should().Be(CpuMode.Long64);
        boot.Load(ElfBuilder.Flat().NoteSection([255, 255, 255, 255, .. pvh[4..]]).Build()).Mode.Should().Be(CpuMode.Long64);
        boot.Load(ElfBuilder.Flat().NoteSection(pvh).Build()[..^1]).Mode.Should().Be(CpuMode.Long64, "the section reaches past the end of the file");
        boot.Load(ElfBuilder.Pvh().NoteSection(pvh).Build()).Mode.Should().Be(CpuMode.Protected32, "a segment has it too");
        byte[] stripped = ElfBuilder.Flat().NoteSection(pvh).Build();
        ElfBuilder.Put(stripped, 40, ulong.MaxValue);
        boot.Load(stripped).Mode.Should().Be(CpuMode.Long64, "there is no section table");
    }

    [Fact]
    public void Entry_Description_SaysProtocolAndAddress()
    {
        using BootFixture boot = new();
        boot.Load(ElfBuilder.Pvh().Build()).Description.Should().Be("PVH entry 0x100010");
        boot.Load(ElfBuilder.Flat().Build()).Description.Should().Be("64-bit entry 0x100020");
    }

    [Fact]
    public void Load_FlatKernelOfTheUpperHalf_BeginsAtItsPhysicalPlace()
    {
        using BootFixture boot = new();
        byte[] kernel = new ElfBuilder { Entry = 0xFFFF_FFFF_8010_0008 }
            .Load(0x20_0000, ElfBuilder.Pattern(64), 64, 0xFFFF_FFFF_8010_0000).Build();
        boot.Load(kernel).InstructionPointer.Value.Should().Be(0x20_0008);
    }

    [Fact]
    public void Load_FromAFile_ReadsItIntoRam()
    {
        string path = Path.GetTempFileName();
        try
        {
            File.WriteAllBytes(path, ElfBuilder.Pvh().Build());
            using BootFixture boot = new();
            using BootImage kernel = BootImage.OpenFile(path);
            BootLoader.Load(boot.Memory, new BootConfig(kernel, null, "", [])).InstructionPointer.Value.Should().Be(0x10_0010);
            boot.Read(0x10_0000, 0x1000).Should().Equal(ElfBuilder.Pattern(0x1000));
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Load_LargeBss_TakesNoHostMemory()
    {
        using BootFixture boot = new(256 << 20);
        boot.Load(new ElfBuilder().Load(0x10_0000, ElfBuilder.Pattern(16), 200 << 20).Note(ElfBuilder.PvhNote(BitConverter.GetBytes(0x10_0000))).Build());
        AllocatedBytes(boot.Memory).Should().BeLessThan(8 << 20, "what is not whole blocks of 2 MiB is written");
    }

    private static long AllocatedBytes(GuestMemory memory)
    {
        Tmds.Linux.stat status;
        unsafe
        {
            Tmds.Linux.LibC.fstat(memory.File.Number, &status).Should().Be(0);
        }

        return (long)status.st_blocks * 512;
    }

    private static ulong Walk(BootFixture boot, ulong table, ulong address)
    {
        const ulong Present = 1, Large = 1 << 7, Frame = 0x000F_FFFF_FFFF_F000;
        foreach (int shift in (int[])[39, 30, 21])
        {
            ulong entry = boot.Read<ulong>(table + (address >> shift & 511) * 8);
            (entry & Present).Should().Be(Present, "0x{0:x} is mapped", address);
            if (shift == 21)
            {
                (entry & Large).Should().Be(Large);
                return (entry & Frame) + (address & 0x1F_FFFF);
            }

            table = entry & Frame;
        }

        throw new InvalidOperationException();
    }
}
