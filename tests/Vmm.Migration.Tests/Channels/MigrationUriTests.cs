using Vmm.Migration.Channels;

namespace Vmm.Migration.Tests.Channels;

/// <summary>Where a machine can go to and come from, as people write it.</summary>
public sealed class MigrationUriTests
{
    [Theory]
    [InlineData("unix:/run/vmm/in", MigrationScheme.Unix, "/run/vmm/in", 0)]
    [InlineData("unix:a:b", MigrationScheme.Unix, "a:b", 0)]
    [InlineData("fd:3", MigrationScheme.Descriptor, "", 3)]
    [InlineData("exec:gzip >x:y", MigrationScheme.Command, "gzip >x:y", 0)]
    [InlineData("file:machine.state", MigrationScheme.File, "machine.state", 0)]
    [InlineData("tcp:localhost:4444", MigrationScheme.Tcp, "localhost", 4444)]
    [InlineData("tcp::4444", MigrationScheme.Tcp, "", 4444)]
    [InlineData("tcp:[::1]:0", MigrationScheme.Tcp, "::1", 0)]
    public void Uri_ThatIsOne_IsParsedAndPrintedTheSame(string text, object scheme, string target, int number)
    {
        MigrationUri uri = MigrationUri.Parse(text);

        (uri.Scheme, uri.Target, uri.Number).Should().Be(((MigrationScheme)scheme, target, number));
        uri.ToString().Should().Be(text);
        MigrationUri.Parse(uri.ToString()).Should().Be(uri);
    }

    [Theory]
    [InlineData("", "'' is no place that a machine can go to or come from; write unix:PATH, fd:N, exec:COMMAND, file:PATH or tcp:HOST:PORT.")]
    [InlineData("rdma:host:1", "'rdma:host:1' is no place *")]
    [InlineData("/tmp/x", "'/tmp/x' is no place *")]
    [InlineData("UNIX:/x", "'UNIX:/x' is no place *")]
    [InlineData("unix:", "'unix:': its path has 0 bytes, and a UNIX socket's has 1 to 107; write for example unix:/run/vmm/incoming.")]
    [InlineData("fd:", "'fd:': '' is no number of an inherited descriptor, which is 3 or higher; write for example fd:3.")]
    [InlineData("fd:2", "'fd:2': '2' is no number *")]
    [InlineData("fd:-1", "'fd:-1': '-1' is no number *")]
    [InlineData("fd:3x", "'fd:3x': '3x' is no number *")]
    [InlineData("fd:99999999999", "'fd:99999999999': '99999999999' is no number *")]
    [InlineData("exec:", "'exec:': the command is missing; write for example exec:gzip >machine.gz.")]
    [InlineData("file:", "'file:': the path is missing; write for example file:machine.state.")]
    [InlineData("file:a\0b", "'file:a\0b': the path is missing; *")]
    [InlineData("tcp:localhost", "'tcp:localhost': host and port, a number up to 65535, are needed; write for example tcp:localhost:4444.")]
    [InlineData("tcp:localhost:", "'tcp:localhost:': host and port, *")]
    [InlineData("tcp:localhost:65536", "'tcp:localhost:65536': host and port, *")]
    [InlineData("tcp:::1:4444", "'tcp:::1:4444': an IPv6 address stands in brackets; write for example tcp:[::1]:4444.")]
    public void Uri_ThatIsNone_IsRefusedWithASentence(string text, string message)
    {
        Action parse = () => MigrationUri.Parse(text);

        parse.Should().Throw<FormatException>().WithMessage(message);
        MigrationUri.TryParse(text, out MigrationUri? uri, out _).Should().BeFalse();
        uri.Should().BeNull();
    }

    [Fact]
    public void Uri_OfALongSocketPath_IsRefused()
    {
        MigrationUri.TryParse("unix:/" + new string('x', 106), out _, out _).Should().BeTrue();
        MigrationUri.TryParse("unix:/" + new string('x', 107), out _, out string? error).Should().BeFalse();
        error.Should().Contain("its path has 108 bytes");
    }
}
