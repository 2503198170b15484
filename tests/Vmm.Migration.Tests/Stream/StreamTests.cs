using Vmm.Core.State;
using Vmm.Migration.Tests.Golden;

namespace Vmm.Migration.Tests.Stream;

/// <summary>Streams of whole sections: what is written is read, and nothing else is.</summary>
public sealed class StreamTests
{
    private static readonly byte[] s_stream = RecordedStream.Bytes(RecordedStream.Sections());

    [Fact]
    public void Stream_OfAllSections_IsTheGoldenOne() => GoldenFile.Check("machine.stream", RecordedStream.Described(RecordedStream.Sections()));

    [Fact]
    public void Stream_Loaded_IsWrittenTheSame()
    {
        IReadOnlyList<IStateSection> sections = RecordedStream.EmptySections();

        RecordedStream.Load(s_stream, sections).Should().BeNull();

        RecordedStream.Bytes(sections).Should().NotEqual(s_stream, "nothing is applied before everything was read");
        foreach (IStateSection section in sections)
        {
            section.Apply();
        }

        RecordedStream.Bytes(sections).Should().Equal(s_stream);
    }

    [Fact]
    public void Stream_CutAtEveryByte_IsRefused()
    {
        IReadOnlyList<IStateSection> sections = RecordedStream.EmptySections();
        for (int length = 0; length < s_stream.Length; length++)
        {
            RecordedStream.Load(s_stream.AsSpan(0, length), sections).Should().NotBeNullOrEmpty($"{length} bytes of {s_stream.Length} are not a stream");
        }
    }

    [Fact]
    public void Stream_WithAnyByteChanged_IsLoadedOrRefusedByName()
    {
        IReadOnlyList<IStateSection> sections = RecordedStream.EmptySections();
        byte[] changed = [.. s_stream];
        int refused = 0;
        for (int at = 0; at < changed.Length; at++)
        {
            foreach (byte mask in (byte[])[0x01, 0x80, 0xff])
            {
                changed[at] ^= mask;
                refused += RecordedStream.Load(changed, sections) is null ? 0 : 1;
                changed[at] ^= mask;
            }
        }

        refused.Should().BePositive();
    }

    [Fact]
    public void Stream_WithSectionsInAnotherOrder_IsRefusedByName()
    {
        IStateSection[] sections = [.. RecordedStream.Sections()];
        (sections[0], sections[1]) = (sections[1], sections[0]);

        RecordedStream.Load(RecordedStream.Bytes(sections), RecordedStream.EmptySections())
            .Should().Be("serial: section 0, net0/virtio-net[0], stands where section 0 is expected");
    }

    [Fact]
    public void Stream_WithASectionMissing_IsRefusedByName()
        => RecordedStream.Load(RecordedStream.Bytes([.. RecordedStream.Sections().Skip(1)]), RecordedStream.EmptySections())
            .Should().Be("serial: section 0, net0/virtio-net[0], stands where section 0 is expected");

    [Fact]
    public void Stream_WithOneSectionMore_IsRefused()
        => RecordedStream.Load(s_stream, [.. RecordedStream.EmptySections().SkipLast(1)])
            .Should().Be("after cpu[1]: byte 0x04 where 0x00 (EndOfFile) is expected");

    [Fact]
    public void Stream_OfAnotherMachine_IsRefused()
        => RecordedStream.Load(s_stream, RecordedStream.EmptySections(), "microvm")
            .Should().Be("configuration: the stream is of a machine of type vmm-test, this one is microvm");

    [Fact]
    public void Description_WhoseLengthWouldHaveABrace_IsPadded()
    {
        // QEMU's analyser takes the first brace after the last zero byte for the start of the JSON.
        for (int extra = 0; extra < 512; extra++)
        {
            byte[] stream = RecordedStream.Described([new FixedSection<Core.Devices.Uart.UartState>(new string('x', extra % 256), default)]);
            int zero = Array.LastIndexOf(stream, (byte)0);
            int brace = Array.IndexOf(stream, (byte)'{', zero);
            stream[brace - 5].Should().Be(0x06);
        }
    }
}
