using CsCheck;

namespace Vmm.Cli.Tests;

public sealed class ByteSizeTests
{
    [Theory]
    [InlineData("0", 0ul)]
    [InlineData("4096", 4096ul)]
    [InlineData("4k", 4096ul)]
    [InlineData("256M", 256ul << 20)]
    [InlineData("2GiB", 2ul << 30)]
    [InlineData("1T", 1ul << 40)]
    [InlineData("18446744073709551615", ulong.MaxValue)]
    public void TryParse_Size_IsInBytes(string text, ulong expected)
    {
        ByteSize.TryParse(text, out ulong bytes).Should().BeTrue();
        bytes.Should().Be(expected);
    }

    [Theory]
    [InlineData("")]
    [InlineData("M")]
    [InlineData("-1")]
    [InlineData("+1")]
    [InlineData("1.5G")]
    [InlineData("1 G")]
    [InlineData("12Q")]
    [InlineData("18446744073709551616")]
    [InlineData("16777216T")]
    public void TryParse_NoSize_IsRefused(string text) => ByteSize.TryParse(text, out _).Should().BeFalse();

    [Fact]
    public void TryParse_AnyText_NeverThrows() => Gen.String.Sample(text =>
    {
        _ = ByteSize.TryParse(text, out _);
    });

    [Theory]
    [InlineData(0ul, "0 bytes")]
    [InlineData(256ul << 20, "256 MiB")]
    [InlineData(1536ul << 20, "1.5 GiB")]
    public void Format_Size_HasTheLargestUnit(ulong bytes, string expected) => ByteSize.Format(bytes).Should().Be(expected);
}
