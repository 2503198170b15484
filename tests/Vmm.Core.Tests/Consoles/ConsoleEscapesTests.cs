using System.Text;
using Vmm.Core.Consoles;

namespace Vmm.Core.Tests.Consoles;

public sealed class ConsoleEscapesTests
{
    private int _quits;
    private int _helps;

    [Theory]
    [InlineData("hello\r", "hello\r", 0, 0)]
    [InlineData("a\u0001xb", "ab", 1, 0)]
    [InlineData("\u0001\u0001", "\u0001", 0, 0)]
    [InlineData("\u0001a", "\u0001", 0, 0)]
    [InlineData("\u0001h\u0001?", "", 0, 2)]
    [InlineData("\u0001z-", "-", 0, 0)]
    [InlineData("\u0001\u0001x", "\u0001x", 0, 0)]
    [InlineData("\u001b[A\u0003\u001a", "\u001b[A\u0003\u001a", 0, 0)]
    public void Filter_Typed_LeavesTheGuestsBytes(string typed, string left, int quits, int helps)
    {
        ConsoleEscapes escapes = new(() => _quits++, () => _helps++);
        byte[] bytes = Encoding.Latin1.GetBytes(typed);
        int count = escapes.Filter(bytes);
        Encoding.Latin1.GetString(bytes, 0, count).Should().Be(left);
        (_quits, _helps).Should().Be((quits, helps));
    }

    [Fact]
    public void Filter_PrefixAndLetterInTwoReads_IsStillACommand()
    {
        ConsoleEscapes escapes = new(() => _quits++, () => _helps++);
        escapes.Filter([0x01]).Should().Be(0);
        escapes.Filter("x"u8.ToArray()).Should().Be(0);
        _quits.Should().Be(1);
    }
}
