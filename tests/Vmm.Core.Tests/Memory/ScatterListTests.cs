using CsCheck;
using Tmds.Linux;
using Vmm.Core.Linux;
using Vmm.Core.Memory;
using Vmm.Testing;

namespace Vmm.Core.Tests.Memory;

public sealed class ScatterListTests : IDisposable
{
    private const int Size = 0x4000;
    private readonly GuestMemory _memory = GuestMemory.Create(new GuestMemoryOptions(Size));
    private readonly ScatterList _list = new(8);

    [Fact]
    public void TryAdd_OutsideOfRamOrFull_IsRefusedAndChangesNothing()
    {
        _list.TryAdd(_memory, new GuestAddress(Size - 1), 2).Should().BeFalse();
        _list.TryAdd(_memory, new GuestAddress(Size), 0).Should().BeFalse();
        _list.TryAdd(_memory, new GuestAddress(ulong.MaxValue), 2).Should().BeFalse();
        (_list.Count, _list.TotalBytes).Should().Be((0, 0L));
        for (int i = 0; i < 8; i++)
        {
            _list.TryAdd(_memory, new GuestAddress((ulong)i), 3).Should().BeTrue();
        }

        _list.TryAdd(_memory, default, 1).Should().BeFalse();
        (_list.Count, _list.TotalBytes).Should().Be((8, 24L));
        _list.Clear();
        (_list.Count, _list.TotalBytes).Should().Be((0, 0L));
    }

    [Theory]
    [InlineData(-1)]
    [InlineData(17)]
    [InlineData(int.MinValue)]
    public void TryAdd_HostBufferWithAWrongLength_Throws(int length)
    {
        using HostBuffer buffer = new(16);
        _list.Invoking(l => l.TryAdd(buffer, length)).Should().Throw<ArgumentOutOfRangeException>();
        _list.Invoking(l => l.TryAdd(buffer, 1, length)).Should().Throw<ArgumentOutOfRangeException>();
        _list.Invoking(l => l.TryAdd(buffer, length, 1)).Should().Throw<ArgumentOutOfRangeException>();
        _list.Count.Should().Be(0);
    }

    [Fact]
    public void Index_OutsideOfTheList_Throws()
    {
        _list.TryAdd(_memory, new GuestAddress(4), 5);
        _list[0].Length.Should().Be(5);
        foreach (int index in (int[])[-1, 1, 8])
        {
            Action read = () => _ = _list[index].Length;
            read.Should().Throw<ArgumentOutOfRangeException>();
        }

        foreach (int count in (int[])[-1, 2])
        {
            _list.Invoking(l => l.Truncate(count)).Should().Throw<ArgumentOutOfRangeException>();
            _list.Invoking(l => l.RemoveFirst(count)).Should().Throw<ArgumentOutOfRangeException>();
        }

        _list.Invoking(l => l.CopyTo(-1, new byte[1])).Should().Throw<ArgumentOutOfRangeException>();
        _list.Invoking(l => l.CopyFrom(-1, new byte[1])).Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void AnyList_BehavesAsTheJoinedBytes()
    {
        Gen<(int Start, int Length)> range = Gen.Select(Gen.Int[0, 200], Gen.Int[0, 30]);
        Gen.Select(range.Array[0, 8], Gen.Int[0, 250], Gen.Byte.Array[0, 250], Gen.Int[0, 8], Gen.Int[0, 8]).Sample((ranges, offset, source, first, last) =>
        {
            _memory.TryGetSpan(default, Size, out Span<byte> ram).Should().BeTrue();
            for (int i = 0; i < Size; i++)
            {
                ram[i] = (byte)(i * 31 + 7);
            }

            _list.Clear();
            foreach ((int start, int length) in ranges)
            {
                _list.TryAdd(_memory, new GuestAddress((ulong)start), (uint)length).Should().BeTrue();
            }

            int[] model = [.. ranges.SelectMany(r => Enumerable.Range(r.Start, r.Length))];
            _list.TotalBytes.Should().Be(model.Length);
            byte[] joined = new byte[source.Length];
            byte[] expected = [.. model.Skip(offset).Take(source.Length).Select(i => (byte)(i * 31 + 7))];
            _list.CopyTo(offset, joined).Should().Be(expected.Length);
            joined[..expected.Length].Should().Equal(expected);

            byte[] written = ram.ToArray();
            int[] places = [.. model.Skip(offset).Take(source.Length)];
            for (int i = 0; i < places.Length; i++)
            {
                written[places[i]] = source[i];
            }

            _list.CopyFrom(offset, source).Should().Be(places.Length);
            ram.SequenceEqual(written).Should().BeTrue();

            first = Math.Min(first, _list.Count);
            _list.RemoveFirst(first);
            last = Math.Min(last, _list.Count);
            _list.Truncate(last);
            List<(int Start, int Length)> left = [.. ranges.Skip(first).Take(last)];
            _list.Count.Should().Be(left.Count);
            _list.TotalBytes.Should().Be(left.Sum(r => r.Length));
            for (int i = 0; i < left.Count; i++)
            {
                _list[i].SequenceEqual(ram.Slice(left[i].Start, left[i].Length)).Should().BeTrue();
            }
        }, iter: 500, threads: 1);
    }

    [Fact]
    public unsafe void ReadFromAndWriteTo_APipe_MoveTheBytesWithoutAllocating()
    {
        int* ends = stackalloc int[2];
        LinuxException.ThrowIfFailed(LibC.pipe2(ends, LibC.O_CLOEXEC | LibC.O_NONBLOCK), "pipe2", "a pipe");
        using FileDescriptor read = new(ends[0]), write = new(ends[1]);
        using HostBuffer header = new(4);
        using ScatterList target = new(4);
        "head"u8.CopyTo(header.Span);
        _memory.Write(new GuestAddress(0x100), "guest bytes"u8);
        _list.TryAdd(header, 4);
        _list.TryAdd(_memory, new GuestAddress(0x100), 5);
        _list.TryAdd(_memory, new GuestAddress(0x106), 5);
        target.TryAdd(_memory, new GuestAddress(0x200), 3);
        target.TryAdd(_memory, new GuestAddress(0x300), 11);

        _list.WriteTo(write).Should().Be(14);
        target.ReadFrom(read).Should().Be(14);
        _memory.TryGetSpan(new GuestAddress(0x200), 3, out Span<byte> start).Should().BeTrue();
        _memory.TryGetSpan(new GuestAddress(0x300), 11, out Span<byte> rest).Should().BeTrue();
        start.ToArray().Concat(rest.ToArray()).Should().Equal("headguestbytes"u8.ToArray());
        target.ReadFrom(read).Should().Be(-LibC.EAGAIN);
        target.WriteTo(read).Should().Be(-LibC.EBADF);

        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            meter.Measure(() =>
            {
                _list.WriteTo(write);
                target.ReadFrom(read);
                target.ReadFrom(read);
            });
        }

        meter.Least.Should().Be(0);
    }

    [Fact]
    public void Disposed_TakesNothingMore()
    {
        ScatterList list = new(4);
        list.TryAdd(_memory, default, 8);
        list.Dispose();
        list.TryAdd(_memory, default, 8).Should().BeFalse();
        (list.Count, list.TotalBytes).Should().Be((0, 0L));
        list.Dispose();
    }

    public void Dispose()
    {
        _list.Dispose();
        _memory.Dispose();
    }
}
