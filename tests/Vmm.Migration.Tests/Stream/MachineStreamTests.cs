using System.Buffers.Binary;
using Vmm.Core.Memory;
using Vmm.Core.State;
using Vmm.Migration.Inspect;
using Vmm.Migration.Live;
using Vmm.Migration.Stream;

namespace Vmm.Migration.Tests.Stream;

/// <summary>A whole machine in a stream, with real guest memory.</summary>
public sealed class MachineStreamTests : IDisposable
{
    private const int Small = 16 * 4096;

    private readonly StreamMachine _source = StreamMachine.CreateSource(Small);

    public MachineStreamTests()
    {
        Fill(_source.Memory, 0x1000, 0x11);
        Fill(_source.Memory, 0xf000, 0x22);
        Fill(_source.Memory, 0x5000, 0); // there, and zero
    }

    public void Dispose() => _source.Dispose();

    [Fact]
    public void Stream_ReadElsewhere_IsTheSameMachine()
    {
        using StreamMachine destination = StreamMachine.CreateDestination();

        Manifest manifest = Read(Write(_source), destination);

        manifest.Name.Should().Be("streamed");
        Bytes(destination.Memory).Should().Equal(Bytes(_source.Memory));
        destination.StateBytes.Should().Equal(_source.StateBytes);
        destination.Runs.Should().Be(0, "running it is for the channel's end to decide");
    }

    [Fact]
    public void Stream_OfAnyMemory_IsTheSameMemory()
    {
        for (int seed = 0; seed < 40; seed++)
        {
            Random random = new(seed);
            using StreamMachine source = StreamMachine.CreateSource((ulong)random.Next(1, 600) * 4096);
            int pages = (int)(source.Memory.Size / 4096);
            for (int i = random.Next(0, pages + 1); i > 0; i--)
            {
                // Whole runs, single bytes at any place, zeros.
                ulong at = (ulong)random.Next(pages) * 4096;
                source.Memory.Write(new GuestAddress(at + (ulong)random.Next(4096)), [(byte)random.Next(256)]);
            }

            using StreamMachine destination = StreamMachine.CreateDestination();

            Read(Write(source), destination);

            Bytes(destination.Memory).SequenceEqual(Bytes(source.Memory)).Should().BeTrue($"seed {seed}");
        }
    }

    [Fact]
    public void Stream_OfMemoryOnBothSidesOfTheHole_IsTheSame()
    {
        // 3 GiB and 8 MiB, of which four pages are touched.
        using StreamMachine source = StreamMachine.CreateSource(GuestMemory.LowLimit + (8 << 20));
        ulong[] places = [0, GuestMemory.LowLimit - 4096, GuestMemory.HighStart, GuestMemory.HighStart + (8 << 20) - 4096];
        foreach (ulong place in places)
        {
            Fill(source.Memory, place, (byte)(place >> 20 | 1));
        }

        using MemoryStream stream = new();
        StreamOutput output = new(stream);
        RamWriter writer = new(output, source.Memory);
        writer.WriteEnd();
        output.Flush();
        writer.Pages.Should().Be(4);
        stream.Length.Should().BeLessThan(5 * 4096, "holes are left out");
        stream.Position = 5; // type and number
        using GuestMemory memory = GuestMemory.Create(new GuestMemoryOptions(source.Memory.Size));
        new RamReader(new StreamInput(stream), memory).ReadPages();

        foreach (ulong place in places)
        {
            memory.TryRead(new GuestAddress(place), out byte value).Should().BeTrue();
            value.Should().Be((byte)(place >> 20 | 1));
        }
    }

    [Fact]
    public void Stream_WithPagesFilledWithOneByte_IsRead()
    {
        // As QEMU writes them.
        using MemoryStream stream = new();
        StreamOutput output = new(stream);
        output.Number(0x2000 | (ulong)RamFlags.Zero);
        output.Name("ram");
        output.Byte(0xaa);
        output.Number(0x3000 | (ulong)(RamFlags.Zero | RamFlags.Continue));
        output.Byte(0);
        output.Number((ulong)RamFlags.End);
        output.Flush();
        stream.Position = 0;
        Fill(_source.Memory, 0x3000, 0x33);

        new RamReader(new StreamInput(stream), _source.Memory).ReadPages();

        byte[] bytes = Bytes(_source.Memory);
        bytes[0x2000..0x3000].Should().AllBeEquivalentTo((byte)0xaa);
        bytes[0x3000..0x4000].Should().AllBeEquivalentTo((byte)0);
    }

    [Fact]
    public void Stream_CutAtAnyByte_IsRefusedByName_AndNothingIsApplied()
    {
        byte[] stream = Write(_source);
        for (int length = 0; length < stream.Length; length += length is > 4000 and < 15000 ? 97 : 1)
        {
            using StreamMachine destination = StreamMachine.CreateDestination();

            Refusal(stream[..length], destination).Should().MatchRegex("^[a-z][a-z0-9 _/.:\\[\\]]*: ", $"{length} of {stream.Length} bytes are no machine");

            destination.IsApplied.Should().BeFalse();
        }
    }

    [Fact]
    public void Stream_WithAnyByteChanged_IsReadOrRefusedByName()
    {
        byte[] stream = Write(_source);
        int refused = 0;
        using StreamMachine destination = StreamMachine.CreateDestination();
        for (int at = 0; at < stream.Length; at += at is > 4000 and < 15000 ? 97 : 1)
        {
            foreach (byte mask in (byte[])[0x01, 0xff])
            {
                stream[at] ^= mask;
                refused += Refusal(stream, destination) is null ? 0 : 1;
                stream[at] ^= mask;
            }
        }

        refused.Should().BeGreaterThan(100);
    }

    [Fact]
    public void Stream_WithSomethingBehindIt_IsRefused()
    {
        using StreamMachine destination = StreamMachine.CreateDestination();

        Refusal([.. Write(_source), 0], destination).Should().Be("stream: more follows its end");

        destination.IsApplied.Should().BeFalse();
    }

    [Theory]
    [InlineData(RamFlags.Page, 0x10000ul, "ram", "ram: page: address 0x10000 is not within 0x10000 bytes")]
    [InlineData(RamFlags.Page, 0xffff_ffff_ffff_f000ul, "ram", "ram: page: address 0xfffffffffffff000 is not within 0x10000 bytes")]
    [InlineData(RamFlags.Page, 0x1000ul, "rom", "ram: page: the block rom is not in the list")]
    [InlineData(RamFlags.Page | RamFlags.Continue, 0x1000ul, "", "ram: page: 0x0000000000001028 goes on with a block, and none was named before")]
    [InlineData(RamFlags.Page | RamFlags.Zero, 0x1000ul, "", "ram: page: 0x000000000000100a has flags 0xa, which are no page's")]
    [InlineData((RamFlags)0x40, 0x1000ul, "", "ram: page: 0x0000000000001040 has flags 0x40, which are no page's")]
    [InlineData(RamFlags.End, 0x1000ul, "", "ram: page: 0x0000000000001010 has flags 0x10, which are no page's")]
    public void Pages_ThatCanNotBe_AreRefused(object flags, ulong address, string block, string message)
    {
        using MemoryStream stream = new();
        StreamOutput output = new(stream);
        output.Number(address | (ulong)(RamFlags)flags);
        if (block.Length > 0)
        {
            output.Name(block);
        }

        output.Bytes(new byte[4096]);
        output.Flush();
        stream.Position = 0;

        Action read = () => new RamReader(new StreamInput(stream), _source.Memory).ReadPages();

        read.Should().Throw<StateException>().WithMessage(message);
    }

    [Fact]
    public void Destination_ThatRefuses_IsNotPrepared()
    {
        using StreamMachine destination = StreamMachine.CreateDestination("cpu: too old", "net0: unknown");

        Action read = () => Read(Write(_source), destination);

        read.Should().Throw<MigrationException>().WithMessage("verdict: refused: cpu: too old; net0: unknown");
        destination.IsApplied.Should().BeFalse();
        destination.Invoking(d => d.Memory).Should().Throw<InvalidOperationException>();
    }

    [Fact]
    public void Inspector_OfTheStream_ShowsAllSections()
    {
        byte[] stream = Write(_source);

        string json = StreamInspector.Read(new MemoryStream(stream)).ToJsonString();

        json.Should().StartWith("{\"manifest (0)\":{\"size\":\"0x0000").And.Contain("\"ram (1)\":{\"section sizes\":{\"ram\":\"0x0000000000010000\"}}")
            .And.Contain("\"remainder (2)\":{\"size\":\"0x").And.Contain("\"serial (3)\":{").And.Contain("\"kvm (4)\":{");
    }

    [Fact]
    public void Input_OfPieces_IsPutTogether()
    {
        // One byte at a time, as a slow channel gives them.
        byte[] stream = Write(_source);
        using StreamMachine destination = StreamMachine.CreateDestination();

        new MachineStreamReader(new DrippingStream(stream), destination).Read(untilEnd: true);

        Bytes(destination.Memory).Should().Equal(Bytes(_source.Memory));
    }

    [Fact]
    public void Remainder_LongerThanAnyState_IsRefused()
    {
        byte[] stream = Write(_source);
        int at = stream.AsSpan().LastIndexOf("\u0009remainder\0\0\0\0\0\0\0\u0001"u8) + 18;
        BinaryPrimitives.WriteUInt32BigEndian(stream.AsSpan(at), uint.MaxValue);
        using StreamMachine destination = StreamMachine.CreateDestination();

        Refusal(stream, destination).Should().Be("remainder: size: 4294967295 is not 0 to 67108864");
    }

    internal static void Fill(GuestMemory memory, ulong address, byte value)
    {
        byte[] page = new byte[4096];
        Array.Fill(page, value);
        memory.Write(new GuestAddress(address), page);
    }

    internal static byte[] Bytes(GuestMemory memory)
    {
        memory.TryGetSpan(default, (uint)memory.Size, out Span<byte> all).Should().BeTrue();
        return all.ToArray();
    }

    internal static byte[] Write(StreamMachine machine)
    {
        using MemoryStream stream = new();
        MachineStreamWriter.Write(stream, machine).Should().Be(stream.Length);
        return stream.ToArray();
    }

    private static Manifest Read(byte[] stream, StreamMachine machine) => new MachineStreamReader(new MemoryStream(stream), machine).Read(untilEnd: true);

    private static string? Refusal(byte[] stream, StreamMachine machine)
    {
        try
        {
            Read(stream, machine);
            return null;
        }
        catch (IOException e) when (e is StateException or MigrationException)
        {
            return e.Message;
        }
    }
}
