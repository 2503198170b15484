using System.Buffers.Binary;
using System.Text;

namespace Vmm.DemoGuest.Tests;

public sealed class DemoGuestImageTests
{
    private const ulong ImageBase = 0x10_0000;
    private const ulong MinimumRam = 32 << 20;
    private readonly byte[] _file = DemoGuestImage.Build();

    [Fact]
    public void Build_Twice_GivesTheSameBytes() => DemoGuestImage.Build().Should().Equal(_file);

    [Fact]
    public void Header_OfTheFile_IsAnExecutableForX64()
    {
        _file[..7].Should().Equal(0x7F, (byte)'E', (byte)'L', (byte)'F', 2, 1, 1);
        U16(16).Should().Be(2, "it is ET_EXEC");
        U16(18).Should().Be(62, "it is EM_X86_64");
        U64(32).Should().Be(64);
        U16(52).Should().Be(64);
        U16(54).Should().Be(56);
        U16(56).Should().Be(3);
    }

    [Fact]
    public void Segments_OfTheFile_LieInFileAndMinimumRamWithoutOverlap()
    {
        ulong end = ImageBase;
        foreach (Segment segment in Segments().Where(s => s.Type == 1))
        {
            (segment.Offset + segment.FileSize).Should().BeLessThanOrEqualTo((ulong)_file.Length);
            segment.MemorySize.Should().BeGreaterThanOrEqualTo(segment.FileSize);
            segment.Address.Should().BeGreaterThanOrEqualTo(end);
            (segment.Address % 0x1000).Should().Be(segment.Offset % 0x1000);
            end = segment.Address + segment.MemorySize;
        }
        end.Should().BeGreaterThan(ImageBase).And.BeLessThan(MinimumRam);
    }

    [Fact]
    public void Note_OfTheFile_NamesAnEntryInLoadedCode()
    {
        Segment note = Segments().Single(s => s.Type == 4);
        int at = (int)note.Offset;
        U32(at).Should().Be(4);
        U32(at + 4).Should().Be(8);
        U32(at + 8).Should().Be(18, "it is XEN_ELFNOTE_PHYS32_ENTRY");
        Encoding.ASCII.GetString(_file, at + 12, 4).Should().Be("Xen\0");
        Segment code = Segments().First();
        U64(at + 16).Should().BeInRange(code.Address, code.Address + code.FileSize - 1);
        U64(24).Should().BeInRange(code.Address, code.Address + code.FileSize - 1);
        // cli; cld: the program starts there.
        int entry = (int)(U64(at + 16) - code.Address + code.Offset);
        _file[entry..(entry + 2)].Should().Equal(0xFA, 0xFC);
    }

    [Fact]
    public void Size_OfTheFile_StaysSmall() => _file.Length.Should().BeLessThan(64 << 10);

    private IEnumerable<Segment> Segments()
    {
        for (int i = 0; i < U16(56); i++)
        {
            int at = 64 + (56 * i);
            yield return new Segment(U32(at), U64(at + 8), U64(at + 24), U64(at + 32), U64(at + 40));
        }
    }

    private ushort U16(int offset) => BinaryPrimitives.ReadUInt16LittleEndian(_file.AsSpan(offset));

    private uint U32(int offset) => BinaryPrimitives.ReadUInt32LittleEndian(_file.AsSpan(offset));

    private ulong U64(int offset) => BinaryPrimitives.ReadUInt64LittleEndian(_file.AsSpan(offset));

    private sealed record Segment(uint Type, ulong Offset, ulong Address, ulong FileSize, ulong MemorySize);
}
