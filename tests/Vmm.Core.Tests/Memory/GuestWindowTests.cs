using CsCheck;
using Vmm.Core.Memory;
using Vmm.Testing;

namespace Vmm.Core.Tests.Memory;

public sealed class GuestWindowTests : IDisposable
{
    private readonly GuestMemory _memory = GuestMemory.Create(new GuestMemoryOptions(0x10000));

    [Fact]
    public void ReadAndWrite_AnyOffset_StayInTheWindowOrThrow()
    {
        _memory.TryGetSpan(default, 0x10000, out _).Should().BeTrue();
        Gen.Select(Gen.UInt[0, 64], Gen.OneOf(Gen.UInt[0, 80], Gen.UInt)).Sample((length, offset) =>
        {
            _memory.TryGetSpan(default, 0x10000, out Span<byte> all).Should().BeTrue();
            all.Clear();
            _memory.TryGetWindow(new GuestAddress(0x100), length, out GuestWindow window).Should().BeTrue();
            window.Span.Length.Should().Be((int)length);
            Check(() => window.Write(offset, (byte)1), offset, 1, length);
            Check(() => window.Write(offset, (ushort)0x0101), offset, 2, length);
            Check(() => window.WriteRelease(offset, 0x0101), offset, 2, length);
            Check(() => window.Write(offset, 0x01010101u), offset, 4, length);
            Check(() => window.Write(offset, 0x0101010101010101ul), offset, 8, length);
            Check(() => window.Read<byte>(offset).Should().Be(1), offset, 1, length);
            Check(() => window.ReadAcquire(offset).Should().Be(0x0101), offset, 2, length);
            Check(() => window.Read<uint>(offset).Should().Be(0x01010101), offset, 4, length);
            Check(() => window.Read<ulong>(offset).Should().Be(0x0101010101010101), offset, 8, length);
            all[..0x100].IndexOfAnyExcept((byte)0).Should().Be(-1);
            all[(0x100 + (int)length)..].IndexOfAnyExcept((byte)0).Should().Be(-1);
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void Default_IsEmptyAndRefusesEverything()
    {
        GuestWindow window = default;
        window.Length.Should().Be(0);
        window.Span.IsEmpty.Should().BeTrue();
        Action read = () => window.Read<byte>(0);
        read.Should().Throw<ArgumentOutOfRangeException>();
    }

    [Fact]
    public void ReadAndWrite_AllocateNothing()
    {
        _memory.TryGetWindow(default, 64, out GuestWindow window).Should().BeTrue();
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            uint i = (uint)meter.Steps;
            meter.Measure(() =>
            {
                window.Write(i % 60, i);
                window.WriteRelease(2, window.ReadAcquire(4));
                _memory.TryGetSpan(new GuestAddress(i), 16, out _);
                _memory.TryRead(new GuestAddress(i), out ulong _);
            });
        }

        meter.Least.Should().Be(0);
    }

    public void Dispose() => _memory.Dispose();

    private static void Check(Action access, uint offset, uint size, uint length)
    {
        if ((ulong)offset + size <= length)
        {
            access();
        }
        else
        {
            Assert.Throws<ArgumentOutOfRangeException>(access);
        }
    }
}
