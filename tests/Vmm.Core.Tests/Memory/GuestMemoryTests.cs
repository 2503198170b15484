using CsCheck;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;

namespace Vmm.Core.Tests.Memory;

public sealed class GuestMemoryTests
{
    private const ulong MiB = 1 << 20;
    private const ulong GiB = 1 << 30;

    /// <summary>A huge page: what is given back when it is cleared.</summary>
    private const int Block = 2 << 20;

    /// <summary>Sizes below, at, just over and well over the hole. The memfd is sparse: they take no room.</summary>
    public static TheoryData<ulong> Sizes => [4096, MiB, 3 * GiB - 4096, 3 * GiB, 3 * GiB + 4096, 3 * GiB + 8 * MiB, 5 * GiB];

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Create_AnySize_RegionsLeaveTheHoleFree(ulong size)
    {
        using GuestMemory memory = Create(size);
        memory.Size.Should().Be(size);
        memory.Regions.Sum(r => (decimal)r.Size).Should().Be(size);
        memory.Regions[0].Start.Value.Should().Be(0);
        memory.Regions[0].FileOffset.Should().Be(0);
        memory.Regions[0].End.Value.Should().Be(Math.Min(size, 3 * GiB));
        memory.Regions.Should().HaveCount(size > 3 * GiB ? 2 : 1);
        if (size > 3 * GiB)
        {
            memory.Regions[1].Start.Value.Should().Be(4 * GiB);
            memory.Regions[1].FileOffset.Should().Be(3 * GiB);
            memory.Regions[1].HostAddress.Should().Be(memory.Regions[0].HostAddress + 3 * GiB, "it is one mapping");
        }
    }

    [Theory]
    [MemberData(nameof(Sizes))]
    public void Access_AtEveryEdge_IsAllInOneRegionOrRefused(ulong size)
    {
        using GuestMemory memory = Create(size);
        foreach (MemoryRegion region in memory.Regions)
        {
            foreach (ulong edge in (ulong[])[region.Start.Value, region.End.Value])
            {
                for (ulong address = edge - 9; address != edge + 9; address++)
                {
                    bool inside = memory.Regions.Any(r => address >= r.Start.Value && address < r.End.Value && r.End.Value - address >= 8);
                    memory.TryWrite(new GuestAddress(address), address).Should().Be(inside, "8 bytes at 0x{0:x}", address);
                    memory.TryRead(new GuestAddress(address), out ulong value).Should().Be(inside);
                    value.Should().Be(inside ? address : 0);
                    memory.TryGetSpan(new GuestAddress(address), 8, out Span<byte> span).Should().Be(inside);
                    span.Length.Should().Be(inside ? 8 : 0);
                    memory.TryGetWindow(new GuestAddress(address), 8, out GuestWindow window).Should().Be(inside);
                    window.Length.Should().Be(inside ? 8u : 0);
                    memory.Contains(new GuestAddress(address), 8).Should().Be(inside);
                }
            }
        }
    }

    [Fact]
    public void AnyRange_IsTheModelsAnswer()
    {
        using GuestMemory memory = Create(3 * GiB + 8 * MiB);
        Gen<ulong> address = Gen.OneOf(
            Gen.ULong, Gen.ULong[0, 5 * GiB], Gen.ULong[3 * GiB - 64, 3 * GiB + 64], Gen.ULong[4 * GiB - 64, 4 * GiB + 64],
            Gen.ULong[4 * GiB + 8 * MiB - 64, 4 * GiB + 8 * MiB + 64], Gen.ULong[ulong.MaxValue - 64, ulong.MaxValue]);
        Gen<ulong> length = Gen.OneOf(Gen.ULong[0, 128], Gen.ULong[0, 5 * GiB], Gen.ULong);
        Gen.Select(address, length).Sample((start, count) =>
        {
            UInt128 end = (UInt128)start + count;
            bool inside = (start < 3 * GiB && end <= 3 * GiB) || (start >= 4 * GiB && start < 4 * GiB + 8 * MiB && end <= 4 * GiB + 8 * MiB);
            memory.Contains(new GuestAddress(start), count).Should().Be(inside);
            uint small = (uint)Math.Min(count, uint.MaxValue);
            inside = memory.Contains(new GuestAddress(start), small);
            memory.TryGetSpan(new GuestAddress(start), small, out Span<byte> span).Should().Be(inside && small <= int.MaxValue);
            span.Length.Should().Be(inside && small <= int.MaxValue ? (int)small : 0);
        }, iter: 20_000, threads: 1);
    }

    [Fact]
    public void Write_ThroughAnyView_IsOneMemoryAndTheFile()
    {
        using GuestMemory memory = Create(3 * GiB + 8 * MiB);
        GuestAddress high = new(4 * GiB + 0x123);
        memory.Write(high, [1, 2, 3, 4]);
        memory.TryRead(high, out uint value).Should().BeTrue();
        value.Should().Be(0x04030201u);
        memory.TryGetWindow(high, 4, out GuestWindow window).Should().BeTrue();
        window.Write<byte>(3, 9);
        memory.TryGetSpan(high, 4, out Span<byte> span).Should().BeTrue();
        span.ToArray().Should().Equal(1, 2, 3, 9);
        ReadFile(memory, (long)(3 * GiB + 0x123), 4).Should().Equal(1, 2, 3, 9);
    }

    [Theory]
    [InlineData(0, 3 * Block)]
    [InlineData(1, 3 * Block)]
    [InlineData(Block - 1, Block + 2)]
    [InlineData(Block, Block)]
    [InlineData(Block + 16, 32)]
    [InlineData(2 * Block - 1, 1)]
    [InlineData(2 * Block, 0)]
    public void Clear_AnyRange_ZeroesItAndNothingElse(int start, int length)
    {
        foreach (bool populate in (bool[])[false, true])
        {
            using GuestMemory memory = GuestMemory.Create(new GuestMemoryOptions(8 * Block, Populate: populate));
            memory.TryGetSpan(default, 8 * Block, out Span<byte> all).Should().BeTrue();
            all.Fill(0xA5);
            memory.Clear(new GuestAddress((ulong)(Block + start)), (ulong)length);
            all[(Block + start)..][..length].IndexOfAnyExcept((byte)0).Should().Be(-1);
            all[..(Block + start)].IndexOfAnyExcept((byte)0xA5).Should().Be(-1);
            all[(Block + start + length)..].IndexOfAnyExcept((byte)0xA5).Should().Be(-1);
        }
    }

    [Fact]
    public void Clear_InTheHighRegion_PunchesTheRightPlace()
    {
        using GuestMemory memory = Create(3 * GiB + 8 * MiB);
        memory.Write(new GuestAddress(4 * GiB), new byte[] { 7, 7 });
        memory.Write(new GuestAddress(4 * GiB + Block), new byte[] { 8 });
        memory.Write(new GuestAddress(Block), new byte[] { 9 });
        memory.Clear(new GuestAddress(4 * GiB + 1), 2 * Block);
        memory.TryRead(new GuestAddress(4 * GiB), out ushort first).Should().BeTrue();
        first.Should().Be(7);
        memory.TryRead(new GuestAddress(4 * GiB + Block), out byte second).Should().BeTrue();
        second.Should().Be(0);
        memory.TryRead(new GuestAddress(Block), out byte low).Should().BeTrue();
        low.Should().Be(9);
    }

    [Fact]
    public void WriteOrClear_OutsideOfRam_Throws()
    {
        using GuestMemory memory = Create(MiB);
        memory.Invoking(m => m.Write(new GuestAddress(MiB - 1), [1, 2])).Should().Throw<ArgumentOutOfRangeException>().WithMessage("2 bytes at 0xfffff do not lie in guest RAM (1 MiB)*");
        memory.Invoking(m => m.Clear(new GuestAddress(MiB - 1), 2)).Should().Throw<ArgumentOutOfRangeException>();
        memory.Invoking(m => m.Clear(new GuestAddress(MiB - 1), ulong.MaxValue)).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Theory]
    [InlineData(0ul, false)]
    [InlineData(4095ul, false)]
    [InlineData(MiB, true)]
    public void Create_SizeThatIsNoMultipleOfThePage_IsRefused(ulong size, bool hugePages)
    {
        Action create = () => GuestMemory.Create(new GuestMemoryOptions(size, hugePages)).Dispose();
        create.Should().Throw<ArgumentException>().WithMessage($"Guest memory of {size} bytes is not a positive multiple*");
    }

    [Fact]
    public void Create_MoreThanTheHostCanMap_SaysWhatToDo()
    {
        Action create = () => GuestMemory.Create(new GuestMemoryOptions(1ul << 50)).Dispose();
        create.Should().Throw<LinuxException>().WithMessage("*guest memory of 1073741824 MiB failed*");
    }

    [Fact]
    public void Create_HugePagesWithoutAPool_SaysHowToReserveThem()
    {
        string pool = File.ReadAllText("/proc/sys/vm/nr_hugepages").Trim();
        if (pool != "0")
        {
            Assert.Skip($"the host has {pool} huge pages");
        }

        Action create = () => GuestMemory.Create(new GuestMemoryOptions(2 * MiB, HugePages: true)).Dispose();
        create.Should().Throw<LinuxException>().WithMessage("*vm.nr_hugepages*");
    }

    [Fact]
    public void Touch_WhereTheHostHasTransparentHugePages_BringsOne()
    {
        Assert.SkipUnless(GuestMemoryFile.HasTransparentHugePages, "no transparent huge pages for this user on this host");
        using GuestMemory memory = Create(8 * MiB);
        memory.TryWrite(new GuestAddress(5 * MiB), 1ul).Should().BeTrue();
        string pages = File.ReadAllText("/proc/self/smaps").Split($"\n{memory.Regions[0].HostAddress:x}-")[1];
        pages.Split('\n').First(line => line.StartsWith("ShmemPmdMapped:", StringComparison.Ordinal)).Should().MatchRegex(" 2048 kB$");
    }

    [Fact]
    public void Adopt_OfWhatGoesToAnotherProcess_IsTheSameMemory()
    {
        using GuestMemory memory = Create(4 * MiB);
        using GuestMemory other = GuestMemory.Adopt(memory.File.Duplicate(), new GuestMemoryOptions(4 * MiB));
        memory.TryWrite(new GuestAddress(MiB), 0x1234_5678u).Should().BeTrue();
        other.TryRead(new GuestAddress(MiB), out uint value).Should().BeTrue();
        value.Should().Be(0x1234_5678u);
    }

    [Fact]
    public void Adopt_OfAFileThatOthersMayCut_IsRefused()
    {
        string path = $"/dev/shm/vmm-test-{Guid.NewGuid():N}";
        using FileDescriptor file = FileDescriptor.Open(path, LibC.O_CREAT | LibC.O_RDWR);
        try
        {
            LibC.ftruncate(file.Number, (long)MiB).Should().Be(0);
            FluentActions.Invoking(() => GuestMemory.Adopt(file, new GuestMemoryOptions(MiB))).Should().Throw<LinuxException>().WithMessage("*It has seals 0x1 and 1048576 bytes, where 0x7 and 1048576 are needed*");
        }
        finally
        {
            File.Delete(path);
        }
    }

    [Fact]
    public void Dispose_Twice_IsHarmless()
    {
        GuestMemory memory = Create(MiB);
        memory.Dispose();
        memory.Dispose();
        memory.File.IsClosed.Should().BeTrue();
    }

    private static GuestMemory Create(ulong size) => GuestMemory.Create(new GuestMemoryOptions(size));

    private static unsafe byte[] ReadFile(GuestMemory memory, long offset, int length)
    {
        byte[] bytes = new byte[length];
        fixed (byte* target = bytes)
        {
            ((long)LibC.pread(memory.File.Number, target, length, offset)).Should().Be(length);
        }

        return bytes;
    }
}
