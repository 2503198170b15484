using CsCheck;
using Vmm.Core.Bus;
using Vmm.Testing;

namespace Vmm.Core.Tests.Bus;

public sealed class AddressBusTests
{
    private readonly AddressBus _bus = new("test bus");

    [Fact]
    public void Access_WithinARange_ReachesTheDeviceWithItsOffset()
    {
        Recorder first = new(0x11), second = new(0x22);
        _bus.Add(0x2000, 0x100, second);
        _bus.Add(0x1000, 0x1000, first);
        Read(0x1FFC, 4).Should().Equal(0x11, 0x11, 0x11, 0x11);
        Read(0x2000, 1).Should().Equal(0x22);
        _bus.Write(0x20FE, [1, 2]);
        first.Log.Should().Equal("read ffc+4");
        second.Log.Should().Equal("read 0+1", "write fe+2:0102");
        _bus.OpenBusAccesses.Should().Be(0);
    }

    [Theory]
    [InlineData(0xFFF, 1)]
    [InlineData(0x1100, 4)]
    [InlineData(0x10FD, 4)]
    [InlineData(0xFFD, 4)]
    [InlineData(ulong.MaxValue, 8)]
    public void Access_OutsideOrAcrossTheEdge_IsOpenBus(ulong address, int length)
    {
        Recorder device = new(0x11);
        _bus.Add(0x1000, 0x100, device);
        Read(address, length).Should().OnlyContain(b => b == 0xFF);
        _bus.Write(address, new byte[length]);
        device.Log.Should().BeEmpty();
        _bus.OpenBusAccesses.Should().Be(2);
    }

    [Fact]
    public void Read_DeviceThatDoesNotKnowTheRegister_GivesAllOnes()
    {
        _bus.Add(0, 16, new Recorder(null));
        Read(4, 4).Should().OnlyContain(b => b == 0xFF);
    }

    [Theory]
    [InlineData(0x1000, 0x100)]
    [InlineData(0xFFF, 2)]
    [InlineData(0x10FF, 1)]
    [InlineData(0, 0x2000)]
    [InlineData(0x1001, 1)]
    public void Add_Overlap_IsRefusedAndChangesNothing(ulong start, ulong length)
    {
        _bus.Add(0x1000, 0x100, new Recorder(0x11));
        _bus.Invoking(b => b.Add(start, length, new Recorder(0x22))).Should().Throw<ArgumentException>().WithMessage("test bus:*overlaps 0x1000+0x100*");
        Read(0x1000, 1).Should().Equal(0x11);
    }

    [Theory]
    [InlineData(0x1000, 0)]
    [InlineData(ulong.MaxValue, 2)]
    [InlineData(2, ulong.MaxValue)]
    public void Add_EmptyOrWrapping_IsRefused(ulong start, ulong length)
        => _bus.Invoking(b => b.Add(start, length, new Recorder(0))).Should().Throw<ArgumentException>().WithMessage("test bus:*");

    [Fact]
    public void Add_UpToTheEndOfTheAddressSpace_WorksAndStillOverlaps()
    {
        _bus.Add(ulong.MaxValue - 0xFFF, 0x1000, new Recorder(0x11));
        Read(ulong.MaxValue, 1).Should().Equal(0x11);
        _bus.Invoking(b => b.Add(ulong.MaxValue - 7, 4, new Recorder(0))).Should().Throw<ArgumentException>();
        _bus.Add(0, 0x1000, new Recorder(0x22));
        Read(0, 1).Should().Equal(0x22);
    }

    [Fact]
    public void AnyRanges_EachAddressReachesTheOneThatHoldsIt()
    {
        Gen.Select(Gen.ULong[0, 300], Gen.ULong[0, 40]).Array[0, 12].Sample(ranges =>
        {
            AddressBus bus = new("test bus");
            byte?[] owner = new byte?[400];
            for (int i = 0; i < ranges.Length; i++)
            {
                (ulong start, ulong length) = ranges[i];
                Span<byte?> place = owner.AsSpan((int)start, (int)length);
                bool free = length > 0 && place.IndexOfAnyExcept((byte?)null) < 0;
                try
                {
                    bus.Add(start, length, new Recorder((byte)i));
                    free.Should().BeTrue();
                    place.Fill((byte)i);
                }
                catch (ArgumentException)
                {
                    free.Should().BeFalse();
                }
            }

            for (int address = 0; address < owner.Length; address++)
            {
                byte[] data = [0];
                bus.Read((ulong)address, data);
                data[0].Should().Be(owner[address] ?? 0xFF);
            }
        }, iter: 200, threads: 1);
    }

    [Fact]
    public void Access_AllocatesNothing()
    {
        _bus.Add(0x1000, 0x100, new Silent());
        byte[] data = new byte[4];
        AllocationMeter meter = new();
        while (meter.WantsMore)
        {
            meter.Measure(() =>
            {
                _bus.Read(0x1000, data);
                _bus.Write(0x1004, data);
                _bus.Read(0x9000, data);
            });
        }

        meter.Least.Should().Be(0);
    }

    private byte[] Read(ulong address, int length)
    {
        byte[] data = new byte[length];
        _bus.Read(address, data);
        return data;
    }

    private sealed class Silent : IBusDevice
    {
        public void Read(ulong offset, Span<byte> data) => data.Clear();

        public void Write(ulong offset, ReadOnlySpan<byte> data)
        {
        }
    }

    private sealed class Recorder(byte? value) : IBusDevice
    {
        public List<string> Log { get; } = [];

        public void Read(ulong offset, Span<byte> data)
        {
            Log.Add($"read {offset:x}+{data.Length}");
            if (value is { } fill)
            {
                data.Fill(fill);
            }
        }

        public void Write(ulong offset, ReadOnlySpan<byte> data) => Log.Add($"write {offset:x}+{data.Length}:{Convert.ToHexString(data)}");
    }
}
