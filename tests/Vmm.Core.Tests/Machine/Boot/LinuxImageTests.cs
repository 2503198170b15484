using System.Runtime.InteropServices;
using Vmm.Core.Hypervisor;
using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;
using Vmm.Core.Memory;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Reads the zero page by the offsets of the kernel's documentation, not by our names.</summary>
public sealed class LinuxImageTests
{
    private const ulong MiB = 1 << 20;

    [Fact]
    public void Load_BzImage_BeginsAtIts64BitEntryWithTheZeroPage()
    {
        using BootFixture boot = new();
        byte[] file = LinuxImageBuilder.Build();
        CpuEntry entry = boot.Load(file, commandLine: "console=ttyS0");
        entry.Should().Be(new CpuEntry(
            CpuMode.Linux64, new GuestAddress(LinuxImageBuilder.PreferredAddress + 0x200), new GuestAddress(MachineLayout.ZeroPage),
            new GuestAddress(MachineLayout.PageTable), new GuestAddress(MachineLayout.DescriptorTable)));
        boot.Read(LinuxImageBuilder.PreferredAddress, file.Length - LinuxImageBuilder.SetupSize).Should().Equal(file[LinuxImageBuilder.SetupSize..]);

        ulong page = entry.StartInfo.Value;
        boot.Read(page + 0x1F1, 0x1F).Should().Equal(file[0x1F1..0x210], "the setup header is the file's");
        boot.Read<byte>(page + 0x210).Should().Be(0xFF, "type_of_loader: none that has a number");
        boot.ReadText(boot.Read<ulong>(page + 0x70)).Should().StartWith("RSD PTR ");
        boot.ReadText(boot.Read<uint>(page + 0x228)).Should().Be("console=ttyS0");
        boot.Read<uint>(page + 0x218).Should().Be(0, "no initrd");
        ReadMap(boot, page).Should().Equal((0, 0x9_0000, 1), (0x9_0000, 0x7_0000, 2), (MiB, 15 * MiB, 1), (0xFEC0_0000, 0x140_0000, 2));

        // SPEC: __BOOT_CS 0x10 and __BOOT_DS 0x18, flat.
        boot.Read<ulong>(MachineLayout.DescriptorTable + 0x10).Should().Be(0x00AF_9B00_0000_FFFF);
        boot.Read<ulong>(MachineLayout.DescriptorTable + 0x18).Should().Be(0x00CF_9300_0000_FFFF);
    }

    [Fact]
    public void Load_BzImageWithInitrd_LiesBelowItsLimitAndOutsideOfItsRoom()
    {
        using BootFixture boot = new();
        byte[] initrd = ElfBuilder.Pattern(5000);
        ulong page = boot.Load(LinuxImageBuilder.Build(file => ElfBuilder.Put(file, 0x22C, 0x7F_FFFFu)), initrd).StartInfo.Value;
        boot.Read<uint>(page + 0x218).Should().Be(0x80_0000 - 2 * 4096, "initrd_addr_max is the last address");
        boot.Read<uint>(page + 0x21C).Should().Be(5000);
        boot.Read(0x80_0000 - 2 * 4096, initrd.Length).Should().Equal(initrd);

        boot.Invoking(b => b.Load(LinuxImageBuilder.Build(file => ElfBuilder.Put(file, 0x22C, 0xFFFu)), initrd))
            .Should().Throw<BootException>().WithMessage("*the initrd of 5000 bytes is larger than the 4096 bytes below which this kernel looks for it (initrd_addr_max). Choose a smaller one.");

        page = boot.Load(LinuxImageBuilder.Build(file => ElfBuilder.Put(file, 0x22C, 0x5F_FFFFu)), initrd).StartInfo.Value;
        boot.Read<uint>(page + 0x218).Should().BeLessThan((uint)LinuxImageBuilder.PreferredAddress, "the kernel needs all up to 0x600000 to unpack itself");
    }

    [Fact]
    public void Load_Linux_FindsItsDevicesByAcpi()
    {
        VirtioMmioSlot slot = MachineLayout.GetVirtioMmioSlot(0);
        using BootFixture boot = new();
        boot.Load(LinuxImageBuilder.Build(), null, "quiet", slot);
        boot.ReadText(MachineLayout.CommandLine).Should().Be("quiet");
        foreach (byte[] note in (byte[][])[ElfBuilder.LinuxNote, ElfBuilder.BuildSaltNote])
        {
            boot.Load(ElfBuilder.Pvh().Note(note).Build(), null, "quiet", slot).Mode.Should().Be(CpuMode.Protected32);
            boot.ReadText(MachineLayout.CommandLine).Should().Be("quiet");
        }

        boot.Load(ElfBuilder.Pvh().Build(), null, "quiet", slot);
        boot.ReadText(MachineLayout.CommandLine).Should().StartWith("quiet virtio_mmio", "who is not Linux may not read the tables");
    }

    public static TheoryData<byte[]> LinuxNotes => new(ElfBuilder.LinuxNote, ElfBuilder.BuildSaltNote);

    [Theory]
    [MemberData(nameof(LinuxNotes))]
    public void Load_ElfOfLinuxWithoutPvh_GetsAZeroPage(byte[] note)
    {
        using BootFixture boot = new();
        CpuEntry entry = boot.Load(ElfBuilder.Flat().Note(note).Build(), ElfBuilder.Pattern(10), "quiet");
        entry.Mode.Should().Be(CpuMode.Linux64);
        ulong page = entry.StartInfo.Value;
        boot.Read(page + 0x202, 4).Should().Equal("HdrS"u8.ToArray());
        boot.ReadText(boot.Read<uint>(page + 0x228)).Should().Be("quiet");
        boot.Read<uint>(page + 0x21C).Should().Be(10);
        ReadMap(boot, page).Should().HaveCount(4);
    }

    public static TheoryData<string, byte[], string> BadImages => new()
    {
        { "protocol", Changed(0x206, (ushort)0x020B), "vmlinux: its boot protocol is 2.11, older than 2.12, the first with a 64-bit entry. Take a kernel of Linux 4.9 or newer." },
        { "32 bits", Changed(0x236, (ushort)0x7E), "vmlinux: it has no 64-bit entry (XLF_KERNEL_64 in xloadflags is clear). Take a 64-bit kernel*" },
        { "short header", Changed(0x201, (byte)0x20), "vmlinux: its setup header ends at byte 546, before init_size at 608*" },
        { "setup past the end", Changed(0x1F1, (byte)60), "vmlinux: its setup of 60 sectors (setup_sects) reaches to byte 31232, and the file ends at 6196. The file is cut off*" },
        { "too low", Changed(0x258, 0x1000ul), "vmlinux: its preferred address 0x1000 (pref_address) is no page between 1 MiB and 4 GiB*" },
        { "odd", Changed(0x258, 0x20_0001ul), "vmlinux: its preferred address 0x200001 (pref_address)*" },
        { "too large", Changed(0x260, 0x100_0000u), "vmlinux: the kernel (0x200000 to 0x1200000) does not fit guest memory of 16 MiB. Choose a larger --memory*" },
        { "in the hole", Changed(0x258, 0xD000_0000ul), "vmlinux: the kernel (0xd0000000 to 0xd0400000) lies in the hole for devices*" },
        { "cut off", LinuxImageBuilder.Build()[..0x210], "vmlinux: its setup header ends at byte 620*" },
    };

    [Theory]
    [MemberData(nameof(BadImages))]
    public void Load_BadBzImage_SaysFieldAndValueAndWritesNothing(string what, byte[] file, string message)
    {
        using BootFixture boot = new();
        boot.Memory.TryGetSpan(default, 16 << 20, out Span<byte> ram).Should().BeTrue();
        ram.Fill(0x5C);
        boot.Invoking(b => b.Load(file)).Should().Throw<BootException>(what).WithMessage(message);
        boot.Memory.TryGetSpan(default, 16 << 20, out ram);
        ram.IndexOfAnyExcept((byte)0x5C).Should().Be(-1);
    }

    [Fact]
    public void Load_CommandLineBeyondTheKernelsOwnLimit_IsRefused()
    {
        using BootFixture boot = new();
        byte[] file = Changed(0x238, 255u);
        boot.Load(file, commandLine: new string('x', 255));
        boot.Invoking(b => b.Load(file, commandLine: new string('x', 256))).Should().Throw<BootException>().WithMessage("command line: it is 256 bytes long*more than 255*");
    }

    private static byte[] Changed<T>(int offset, T value) where T : unmanaged
        => LinuxImageBuilder.Build(file => MemoryMarshal.Write(file.AsSpan(offset), value));

    private static List<(ulong Start, ulong Size, uint Type)> ReadMap(BootFixture boot, ulong page)
        => [.. Enumerable.Range(0, boot.Read<byte>(page + 0x1E8)).Select(i => page + 0x2D0 + (ulong)i * 20)
            .Select(e => (boot.Read<ulong>(e), boot.Read<ulong>(e + 8), boot.Read<uint>(e + 16)))];
}
