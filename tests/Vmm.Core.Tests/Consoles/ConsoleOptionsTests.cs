using Vmm.Core.Consoles;

namespace Vmm.Core.Tests.Consoles;

public sealed class ConsoleOptionsTests
{
    [Theory]
    [InlineData("stdio", ConsoleKind.Stdio, null)]
    [InlineData("none", ConsoleKind.None, null)]
    [InlineData("pty", ConsoleKind.Pty, null)]
    [InlineData("file:/tmp/a:b", ConsoleKind.File, "/tmp/a:b")]
    [InlineData("unix:vm.sock", ConsoleKind.UnixSocket, "vm.sock")]
    public void Parse_KnownForm_GivesKindAndPath(string text, ConsoleKind kind, string? path)
    {
        ConsoleOptions.Parse(text).Should().Be(new ConsoleOptions(kind, path));
        ConsoleOptions.Parse(text).ToString().Should().Be(text);
    }

    [Theory]
    [InlineData("", "Console '': the kind '' is unknown. Use stdio, file:PATH, pty, unix:PATH or none.")]
    [InlineData("tty", "Console 'tty': the kind 'tty' is unknown. Use*")]
    [InlineData("STDIO", "*unknown*")]
    [InlineData("tcp:1234", "Console 'tcp:1234': the kind 'tcp' is unknown. Use*")]
    [InlineData("file", "Console 'file': the path is missing. Use file:PATH.")]
    [InlineData("file:", "Console 'file:': the path is missing. Use file:PATH.")]
    [InlineData("unix:", "Console 'unix:': the path is missing. Use unix:PATH.")]
    [InlineData("stdio:x", "Console 'stdio:x': it takes no path, and 'x' was given. Use*")]
    [InlineData("pty:", "Console 'pty:': it takes no path, and '' was given. Use*")]
    public void Parse_Wrong_SaysValueAndWhatToDo(string text, string message)
    {
        Action parse = () => ConsoleOptions.Parse(text);
        parse.Should().Throw<FormatException>().WithMessage(message);
    }

    [Fact]
    public void Parse_SocketPath_At107BytesFitsAndAt108DoesNot()
    {
        ConsoleOptions.Parse("unix:" + new string('a', 107)).Path.Should().HaveLength(107);
        ConsoleOptions.TryParse("unix:" + new string('a', 105) + "é", out _, out _).Should().BeTrue();
        ConsoleOptions.TryParse("unix:" + new string('a', 106) + "é", out _, out string? error).Should().BeFalse();
        error.Should().Contain("the path has 108 bytes").And.EndWith("Use a shorter one.");
    }
}
