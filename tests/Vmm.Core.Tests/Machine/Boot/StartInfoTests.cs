using Vmm.Core.Machine;
using Vmm.Core.Machine.Boot;

namespace Vmm.Core.Tests.Machine.Boot;

/// <summary>Reads what the kernel finds, by the offsets of Xen's header, not by our structs.</summary>
public sealed class StartInfoTests
{
    private const ulong MiB = 1 << 20;
    private const ulong GiB = 1 << 30;

    [Fact]
    public void Load_WithoutInitrd_StartInfoIsVersion1()
    {
        using BootFixture boot = new();
        ulong info = boot.Load(ElfBuilder.Pvh().Build(), commandLine: "console=ttyS0").StartInfo.Value;
        boot.Read<uint>(info).Should().Be(0x336ec578);
        boot.Read<uint>(info + 4).Should().Be(1);
        boot.Read<uint>(info + 8).Should().Be(0, "flags");
        boot.Read<uint>(info + 12).Should().Be(0, "no modules");
        boot.Read<ulong>(info + 16).Should().Be(0);
        boot.ReadText(boot.Read<ulong>(info + 24)).Should().Be("console=ttyS0");
        boot.ReadText(boot.Read<ulong>(info + 32)).Should().StartWith("RSD PTR ");
        ReadMemoryMap(boot, info).Should().Equal(
            (0, 0x9_0000, 1), (0x9_0000, 0x7_0000, 2), (MiB, 15 * MiB, 1), (0xFEC0_0000, 0x140_0000, 2));
    }

    [Fact]
    public void Load_MemoryAboveTheHole_IsInTheMap()
    {
        using BootFixture boot = new(3 * GiB + 8 * MiB);
        ulong info = boot.Load(ElfBuilder.Pvh().Build()).StartInfo.Value;
        ReadMemoryMap(boot, info).Should().Equal(
            (0, 0x9_0000, 1), (0x9_0000, 0x7_0000, 2), (MiB, 3 * GiB - MiB, 1), (0xFEC0_0000, 0x140_0000, 2), (4 * GiB, 8 * MiB, 1));
    }

    [Theory]
    [InlineData(1)]
    [InlineData(4096)]
    [InlineData(100_000)]
    [InlineData(0x3F_E000)]
    public void Load_Initrd_IsTheHighestPageAlignedModule(int size)
    {
        using BootFixture boot = new();
        byte[] initrd = ElfBuilder.Pattern(size);
        ulong info = boot.Load(ElfBuilder.Pvh().Build(), initrd).StartInfo.Value;
        boot.Read<uint>(info + 12).Should().Be(1);
        ulong list = boot.Read<ulong>(info + 16);
        ulong address = boot.Read<ulong>(list);
        boot.Read<ulong>(list + 8).Should().Be((ulong)size);
        boot.Read<ulong>(list + 16).Should().Be(0, "modules have no command line");
        address.Should().Be((16 * MiB - (ulong)size) & ~4095ul);
        boot.Read(address, size).Should().Equal(initrd);
    }

    [Fact]
    public void Load_KernelAtTheTop_InitrdGoesBelow()
    {
        using BootFixture boot = new();
        byte[] kernel = ElfBuilder.Pvh().Load(16 * MiB - 0x1800, ElfBuilder.Pattern(16), 0x1800).Build();
        ulong info = boot.Load(kernel, ElfBuilder.Pattern(0x2000)).StartInfo.Value;
        boot.Read<ulong>(boot.Read<ulong>(info + 16)).Should().Be(16 * MiB - 0x4000);
    }

    [Fact]
    public void Load_InitrdOfExactlyTheFreeRoom_FitsAndOneByteMoreDoesNot()
    {
        using BootFixture boot = new(2 * MiB);
        boot.Load(ElfBuilder.Pvh().Build(), new byte[MiB - 0x3000]);
        boot.Invoking(b => b.Load(ElfBuilder.Pvh().Build(), new byte[MiB - 0x2FFF])).Should().Throw<BootException>()
            .WithMessage("initrd.img: the initrd of 1036289 bytes does not fit*Choose a larger --memory*");
    }

    [Fact]
    public void Load_Devices_AreAppendedToTheCommandLine()
    {
        using BootFixture boot = new();
        ulong info = boot.Load(ElfBuilder.Pvh().Build(), null, " ip=10.0.0.2 ", MachineLayout.GetVirtioMmioSlot(0), MachineLayout.GetVirtioMmioSlot(18)).StartInfo.Value;
        boot.ReadText(boot.Read<ulong>(info + 24)).Should()
            .Be("ip=10.0.0.2 virtio_mmio.device=512@0xfeb00000:5 virtio_mmio.device=512@0xfeb12000:23");
    }

    [Fact]
    public void Load_CommandLineAtTheLimit_FitsAndOneByteMoreDoesNot()
    {
        using BootFixture boot = new();
        ulong info = boot.Load(ElfBuilder.Pvh().Build(), commandLine: new string('x', 2047)).StartInfo.Value;
        boot.ReadText(boot.Read<ulong>(info + 24)).Should().HaveLength(2047);
        boot.Invoking(b => b.Load(ElfBuilder.Pvh().Build(), commandLine: new string('x', 2048))).Should().Throw<BootException>()
            .WithMessage("command line: it is 2048 bytes long with its 0 virtio_mmio.device entries, more than 2047. Shorten it.");
        boot.Invoking(b => b.Load(ElfBuilder.Pvh().Build(), commandLine: "a\0b")).Should().Throw<BootException>().WithMessage("command line: it holds a NUL*");
    }

    private static List<(ulong Start, ulong Size, uint Type)> ReadMemoryMap(BootFixture boot, ulong info)
    {
        ulong table = boot.Read<ulong>(info + 40);
        return [.. Enumerable.Range(0, (int)boot.Read<uint>(info + 48)).Select(i => table + (ulong)i * 24)
            .Select(e => (boot.Read<ulong>(e), boot.Read<ulong>(e + 8), boot.Read<uint>(e + 16)))];
    }
}
