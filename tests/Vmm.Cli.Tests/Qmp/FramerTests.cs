using System.Text;
using Vmm.Cli.Qmp;

namespace Vmm.Cli.Tests.Qmp;

/// <summary>Where one value ends, wherever the bytes are cut.</summary>
public sealed class FramerTests
{
    [Theory]
    [InlineData("""{"a":1}""", """{"a":1}""")]
    [InlineData("""{"a":{"b":["}",{}]}} {""", """{"a":{"b":["}",{}]}}""")]
    [InlineData("""{"a":"\\"}{""", """{"a":"\\"}""")]
    [InlineData("""{"a":"\"}"}x""", """{"a":"\"}"}""")]
    [InlineData("""[1,[2]]]""", """[1,[2]]""")]
    [InlineData("""
        "a b" 
        """, "\"a b\"")]
    [InlineData("12 13", "12")]
    [InlineData("true{", "true")]
    [InlineData("}{", "}")]
    [InlineData("{\"a\":\"b\n\"}", "{\"a\":\"b\n")]
    [InlineData(",1", ",")]
    public void Value_CutAnywhere_EndsAtTheSamePlace(string text, string value)
    {
        byte[] bytes = Encoding.UTF8.GetBytes(text);
        for (int cut = 0; cut < bytes.Length; cut++)
        {
            JsonFramer framer = default;
            bool found = framer.TryFindEnd(bytes.AsSpan(0, cut), out int length);
            found = found || framer.TryFindEnd(bytes, out length);

            found.Should().BeTrue(text);
            Encoding.UTF8.GetString(bytes, 0, length).Should().Be(value, "cut at {0}", cut);
            framer.IsAtStart.Should().BeTrue();
        }
    }

    [Theory]
    [InlineData("""{"a":1""")]
    [InlineData("""{"a":"}""")]
    [InlineData("tru")]
    [InlineData("""[{"a":[]}""")]
    public void Value_NotWhole_HasNoEnd(string text)
    {
        JsonFramer framer = default;

        framer.TryFindEnd(Encoding.UTF8.GetBytes(text), out _).Should().BeFalse();
    }
}
