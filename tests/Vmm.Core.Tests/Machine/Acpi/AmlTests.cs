using Vmm.Core.Machine.Acpi;

namespace Vmm.Core.Tests.Machine.Acpi;

/// <summary>The encodings, by the bytes of ACPI 6.5, chapter 20.</summary>
public sealed class AmlTests
{
    [Theory]
    [InlineData(0ul, "00")]
    [InlineData(1ul, "01")]
    [InlineData(2ul, "0a02")]
    [InlineData(0x1234ul, "0b3412")]
    [InlineData(0x12345678ul, "0c78563412")]
    [InlineData(0x1_0000_0000ul, "0e0000000001000000")]
    public void Integer_TakesTheShortestForm(ulong value, string bytes) => Convert.ToHexStringLower(Aml.Integer(value)).Should().Be(bytes);

    [Fact]
    public void EisaId_IsCompressed() => Convert.ToHexStringLower(Aml.EisaId("PNP0501")).Should().Be("0c41d00501");

    [Theory]
    [InlineData("PWRB", "50575242")]
    [InlineData(@"\_SB_", "5c5f53425f")]
    [InlineData(@"\_SB_.PWRB", "5c2e5f53425f50575242")]
    [InlineData("AAAA.BBBB.CCCC", "2f03414141414242424243434343")]
    public void Path_Segments_HaveTheirPrefix(string path, string bytes) => Convert.ToHexStringLower(Aml.Path(path)).Should().Be(bytes);

    [Fact]
    public void Path_ShortSegment_Throws() => FluentActions.Invoking(() => Aml.Path("_SB")).Should().Throw<ArgumentException>().WithMessage("_SB*");

    [Theory]
    [InlineData(58, "10" + "3f")]
    [InlineData(59, "10" + "4104")]
    [InlineData(4089, "10" + "4fff")]
    [InlineData(4090, "10" + "810001")]
    public void Scope_Length_CountsItself(int length, string start)
        => Convert.ToHexStringLower(Aml.Scope("_SB_", new byte[length])).Should().StartWith(start + "5f53425f");
}
