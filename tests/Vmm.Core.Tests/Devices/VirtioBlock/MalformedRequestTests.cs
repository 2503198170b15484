using Vmm.Core.Memory;
using Vmm.Core.Virtio;
using Vmm.Testing.Virtio;
using static Vmm.Core.Tests.Devices.VirtioBlock.BlockGuest;

namespace Vmm.Core.Tests.Devices.VirtioBlock;

/// <summary>Requests that no driver should send: each is answered with an error, nothing of the disk has changed, and the next one works.</summary>
public sealed class MalformedRequestTests : IDisposable
{
    private const ulong Sectors = 8192;

    private readonly ImageFile _file = new();
    private readonly BlockGuest _guest;

    public MalformedRequestTests() => _guest = new BlockGuest(_file.Path);

    [Theory]
    [InlineData(In, Sectors, 512u)]
    [InlineData(In, Sectors - 1, 1024u)]
    [InlineData(In, ulong.MaxValue, 512u)]
    [InlineData(In, 1ul << 55, 512u)] // times 512: 0
    [InlineData(In, 0ul, 513u)]
    [InlineData(In, 0ul, 1u)]
    [InlineData(Out, Sectors, 512u)]
    [InlineData(Out, Sectors - 1, 1024u)]
    [InlineData(Out, ulong.MaxValue - 1, 1024u)]
    [InlineData(Out, 0ul, 511u)]
    public void Transfer_OutsideOfTheDiskOrOfPartOfASector_IsAnError(int type, ulong sector, uint length)
    {
        ulong at = _guest.Allocate(length);
        _guest.Request(type, sector, type == In ? DriverBuffer.Writable(at, length) : DriverBuffer.Readable(at, length)).Should().Be((IoError, 1u));
        ShouldBeUnharmed();
    }

    [Fact]
    public void Transfer_WithDataInTheWrongDirection_IsAnError()
    {
        ulong at = _guest.Allocate(512);
        _guest.Request(Out, 0, DriverBuffer.Writable(at, 512)).Should().Be((IoError, 1u));
        _guest.Request(In, 0, DriverBuffer.Readable(at, 512)).Should().Be((IoError, 1u));
        _guest.Request(In, 0, DriverBuffer.Readable(at, 512), DriverBuffer.Writable(at, 512)).Should().Be((IoError, 1u));
        _guest.Request(DiscardType, 0, DriverBuffer.Writable(at, 16)).Should().Be((IoError, 1u));
        _guest.Request(GetIdType, 0).Should().Be((IoError, 1u));
        ShouldBeUnharmed();
    }

    [Theory]
    [InlineData(2)]
    [InlineData(3)]
    [InlineData(10)]
    [InlineData(-1)]
    [InlineData(14)]
    public void Type_ThatIsUnknown_IsNotSupported(int type)
    {
        _guest.Request(type, 0).Should().Be((Unsupported, 1u));
        ShouldBeUnharmed();
    }

    [Fact]
    public void Types_ThatWereNotNegotiated_AreNotSupported()
    {
        _guest.Start(Base);
        _guest.Flush().Should().Be(Unsupported);
        _guest.Ranges(DiscardType, (0, 8, 0)).Should().Be(Unsupported);
        _guest.Ranges(WriteZeroesType, (0, 8, 0)).Should().Be(Unsupported);
        _guest.Write(1, ImageFile.Pattern(1, 512)).Should().Be(Ok, "without a flush each write is on the disk");
        ShouldBeUnharmed();
    }

    [Fact]
    public void Header_ThatIsTooShort_IsAnError()
    {
        ulong status = _guest.Allocate(1);
        _guest.Send(status, 0, DriverBuffer.Readable(_guest.Allocate(15), 15), DriverBuffer.Writable(status, 1)).Should().Be((IoError, 1u));
        _guest.Send(status, 0, DriverBuffer.Writable(status, 1)).Should().Be((IoError, 1u));
        ShouldBeUnharmed();
    }

    [Fact]
    public void Request_WithoutAStatusByte_ComesBackAndDoesNothing()
    {
        ulong data = _guest.Put(new byte[512]);
        ulong nowhere = _guest.Allocate(1);
        _guest.Send(nowhere, 0, _guest.Header(Out, 0), DriverBuffer.Readable(data, 512)).Should().Be((NoStatus, 0u));
        _guest.Send(nowhere, 0, _guest.Header(FlushType, 0)).Should().Be((NoStatus, 0u));
        ShouldBeUnharmed();
    }

    [Fact]
    public void Ranges_OutsideOfTheDiskOrTooMany_AreErrorsAndNoneIsTouched()
    {
        foreach (int type in (int[])[DiscardType, WriteZeroesType])
        {
            _guest.Ranges(type, (Sectors, 1, 0)).Should().Be(IoError);
            _guest.Ranges(type, (Sectors - 1, 2, 0)).Should().Be(IoError);
            _guest.Ranges(type, (ulong.MaxValue, uint.MaxValue, 0)).Should().Be(IoError);
            _guest.Ranges(type, (0, uint.MaxValue, 0)).Should().Be(IoError);
            _guest.Ranges(type, (0, 8, 2)).Should().Be(Unsupported);
            _guest.Ranges(type, (0, 8, uint.MaxValue)).Should().Be(Unsupported);
            _guest.Ranges(type, [.. Enumerable.Repeat((0ul, 8u, 0u), 17)]).Should().Be(IoError);
            _guest.Request(type, 0, DriverBuffer.Readable(_guest.Allocate(15), 15)).Should().Be((IoError, 1u));
            _guest.Request(type, 0).Should().Be((IoError, 1u));
        }

        _guest.Ranges(DiscardType, (0, 8, 1)).Should().Be(Unsupported, "a discard has no flags");
        _guest.Ranges(DiscardType, (0, 8, 0), (Sectors, 8, 0)).Should().Be(IoError, "the first of two is good");
        _guest.Ranges(WriteZeroesType, (0, 8, 0), (8, 8, 0)).Should().Be(IoError, "only one is offered");
        _guest.Metrics.Discards.Should().Be(0);
        ShouldBeUnharmed();
    }

    [Fact]
    public void File_ThatBecameShorter_IsAnErrorWithALine()
    {
        CountingLogger log = new();
        using ImageFile file = new();
        using BlockGuest guest = new(file.Path, log: log);
        using (FileStream stream = new(file.Path, FileMode.Open, FileAccess.Write, FileShare.ReadWrite))
        {
            stream.SetLength(1 << 20);
        }

        guest.Request(In, 4096, DriverBuffer.Writable(guest.Allocate(512), 512)).Should().Be((IoError, 1u));
        guest.Metrics.Errors.Should().Be(1);
        log.Lines.Should().ContainSingle().Which.Should().Contain("disk0: the host could not read from file").And.Contain("errno 5");
        guest.Read(0, 512).Should().Equal(ImageFile.Pattern(0, 512));
    }

    [Fact]
    public void BrokenRing_AsksForAReset_AndRecovers()
    {
        foreach ((ulong address, uint length, ushort flags) in ((ulong, uint, ushort)[])
            [(0, 0, 0), (1ul << 40, 16, 0), (64 << 20, 16, 0), (_guest.Allocate(16), 16, DriverQueue.Next), (_guest.Allocate(16), 16, DriverQueue.Indirect | DriverQueue.Next)])
        {
            // The next descriptor of a chain is itself.
            _guest.Driver.Queues[0].WriteDescriptor(0, new GuestAddress(address), length, flags, 0);
            _guest.Driver.Queues[0].MakeAvailable(0);
            _guest.Driver.Notify(0);
            SpinWait.SpinUntil(() => (_guest.Driver.Status & VirtioStatus.NeedsReset) != 0, TimeSpan.FromSeconds(20)).Should().BeTrue();
            _guest.Start(Writable & _guest.Driver.OfferedFeatures);
        }

        ShouldBeUnharmed();
    }

    /// <summary>Requests of which everything is random, half of them nearly sound. The file beside the disk's range keeps its bytes, RAM that no chain names too.</summary>
    [Fact]
    public void Requests_OfAnyContents_LeaveTheDeviceAlive()
    {
        int seed = int.TryParse(Environment.GetEnvironmentVariable("VMM_FUZZ_SEED"), out int given) ? given : Random.Shared.Next();
        Console.Error.WriteLine($"disk fuzzer: VMM_FUZZ_SEED={seed}");
        Random random = new(seed);
        ulong canary = _guest.Put(ImageFile.Pattern(1, 4096));
        ulong buffers = _guest.Allocate(1 << 16);
        ulong status = _guest.Allocate(1);
        int[] types = [In, Out, FlushType, GetIdType, DiscardType, WriteZeroesType, 99];
        ulong[] sectors = [0, 1, 100, Sectors - 8, Sectors - 1, Sectors, 1ul << 55, ulong.MaxValue];
        for (int i = 0; i < 3000; i++)
        {
            int type = types[random.Next(types.Length)];
            List<DriverBuffer> chain = [_guest.Header(type, sectors[random.Next(sectors.Length)])];
            byte[] noise = new byte[64];
            random.NextBytes(noise);
            if (random.Next(2) == 0)
            {
                noise.AsSpan(2, 6).Clear();
                noise.AsSpan(10, 6).Clear();
            }

            _guest.Driver.Memory.Write(new GuestAddress(buffers), noise);
            for (int data = random.Next(4); data > 0; data--)
            {
                uint length = random.Next(3) == 0 ? (uint)random.Next(1, 5000) : 512u * (uint)random.Next(1, 9);
                chain.Add(new DriverBuffer(new GuestAddress(buffers + (ulong)random.Next(4096)), length, random.Next(8) == 0 ? random.Next(2) == 0 : type is In or GetIdType));
            }

            if (random.Next(10) != 0)
            {
                chain.Add(DriverBuffer.Writable(status, 1));
            }

            // A chain has what the device reads before what it writes.
            _guest.Driver.Queues[0].Add([.. chain.Where(buffer => !buffer.IsWritable), .. chain.Where(buffer => buffer.IsWritable)]);
            _guest.Driver.Notify(0);
            if (random.Next(20) == 0)
            {
                _guest.Driver.Transport.Pause();
                _guest.Driver.Transport.Resume();
            }

            _guest.Driver.WaitForUsed(0, out _, out _, 20_000).Should().BeTrue("request {0} of seed {1} is answered", i, seed);
            if (i % 100 == 99)
            {
                _guest.Start(Writable & _guest.Driver.OfferedFeatures);
                _guest.Put(ImageFile.Pattern(1, 4096)).Should().Be(canary);
                _guest.Allocate(1 << 16).Should().Be(buffers);
                _guest.Allocate(1).Should().Be(status);
            }
        }

        _guest.Get(canary, 4096).Should().Equal(ImageFile.Pattern(1, 4096));
        new FileInfo(_file.Path).Length.Should().Be(4 << 20);
        (_guest.Metrics.Reads + _guest.Metrics.Writes).Should().BeGreaterThan(100, "the fuzzer reaches the image");
        _guest.Metrics.Malformed.Should().BeGreaterThan(100, "and the checks");
        _guest.Metrics.Errors.Should().Be(0, "what the checks let through, the host can do");
        _guest.Write(0, ImageFile.Pattern(0, 512)).Should().Be(Ok);
        _guest.Read(0, 512).Should().Equal(ImageFile.Pattern(0, 512));
    }

    public void Dispose()
    {
        _guest.Dispose();
        _file.Dispose();
    }

    private void ShouldBeUnharmed()
    {
        (_guest.Driver.Status & VirtioStatus.NeedsReset).Should().Be(0);
        _file.Bytes(0, 4 << 20).AsSpan().SequenceEqual(ImageFile.Pattern(0, 4 << 20)).Should().BeTrue("nothing has changed on the disk");
        new FileInfo(_file.Path).Length.Should().Be(4 << 20);
        _guest.Read(8, 1024).Should().Equal(ImageFile.Pattern(8, 1024));
    }
}
